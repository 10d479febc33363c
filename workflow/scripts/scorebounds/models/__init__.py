"""Models that the workflow makes itself, and the images that some of them are trained on."""
