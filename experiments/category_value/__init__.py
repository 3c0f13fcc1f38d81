"""What each category is worth: accuracy, calibration and disparity with and without it."""
