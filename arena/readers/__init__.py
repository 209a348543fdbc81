"""Readers of what players say: plug-ins, one file each."""
