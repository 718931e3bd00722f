"""New artifacts from given ones, judged before they are written."""
