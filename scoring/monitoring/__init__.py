"""Whether scores stay what they were: drift, calibration, data, alerts."""
