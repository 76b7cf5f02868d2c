"""What a run opens and what it leaves behind: the work of every verb, without its terminal."""
