"""What flows through Riverdesk: events, journal records, outputs; their codec and topics."""
