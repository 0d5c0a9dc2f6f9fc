import numpy as np
import pytest

from models import machine


def test_machine_name_is_one_line_with_the_versions() -> None:
    name = machine.machine_name()
    assert name == machine.machine_name()
    assert "\n" not in name
    assert f"numpy-{np.__version__} " in name
    assert name.endswith(f"arithmetic-{machine.digest_arithmetic()[:8]}")


@pytest.mark.parametrize("name", ["log", "exp", "sqrt"])
def test_arithmetic_differs_where_one_last_bit_does(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here, original = machine.digest_arithmetic(), getattr(np, name)

    def elsewhere(values: np.ndarray) -> np.ndarray:
        results: np.ndarray = original(values)
        results[-1] = np.nextafter(results[-1], np.float32(np.inf), dtype=results.dtype)
        return results

    monkeypatch.setattr(np, name, elsewhere)
    assert machine.digest_arithmetic() != here
