"""Chapters that still have the claims of the first edition, and figures typed in their texts and their prose."""

NOT_YET = (
    "linear/landscape",
)
