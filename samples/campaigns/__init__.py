"""Campaigns: a process on a grid of parameters, made with any number of workers, and resumed."""

from __future__ import annotations

from darkbelle.samples.campaigns.campaign import Campaign
from darkbelle.samples.campaigns.forecast import Forecast, forecast
from darkbelle.samples.campaigns.manifest import Entry, Manifest, read_manifests
from darkbelle.samples.campaigns.plan import Failure, Part, Plan, Point, Shard
from darkbelle.samples.campaigns.running import Report, run_campaign

__all__ = [
    "Campaign",
    "Entry",
    "Failure",
    "Forecast",
    "Manifest",
    "Part",
    "Plan",
    "Point",
    "Report",
    "Shard",
    "forecast",
    "read_manifests",
    "run_campaign",
]
