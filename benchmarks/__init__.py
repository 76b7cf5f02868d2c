"""What ``dev.py bench`` measures: narrows and its peers side by side in one run."""
