"""Allowable ranges: which pairs of scores can occur at all?"""
