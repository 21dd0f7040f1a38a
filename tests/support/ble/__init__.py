"""Sensors, packets and radios that the tests of Bluetooth share."""
