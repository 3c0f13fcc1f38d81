"""The member's report: two pages a person can read, as HTML and as PDF."""

from benne.explain.report.content import ConsentGiven, FreeReports, MemberReport, NoScore, Received, Routes

__all__ = ["ConsentGiven", "FreeReports", "MemberReport", "NoScore", "Received", "Routes"]
