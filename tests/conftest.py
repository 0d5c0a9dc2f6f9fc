from hypothesis import settings

settings.register_profile("riverdesk", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("riverdesk")
