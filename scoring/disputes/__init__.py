"""Disputes from the moment a member says that something is wrong to the written answer, and corrections that follow."""
