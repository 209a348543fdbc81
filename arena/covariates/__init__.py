"""Covariates: plug-ins, one file each."""
