"""Canaries: would a leak be seen?"""
