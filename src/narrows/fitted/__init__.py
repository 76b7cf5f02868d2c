"""What a training comes to: one value, and functions of it; scikit-learn and its estimators stand above."""
