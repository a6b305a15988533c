"""The route table, fourth part: usage, and the thin events that tell what could not be counted. Same columns as routes.py."""

from __future__ import annotations

from voldaan.api import lists
from voldaan.api.router import RouteLine
from voldaan.commands import (
    alerts,
    core_events,
    current_usage,
    meter_event_adjustments,
    meter_event_batches,
    meter_event_errors,
    meter_event_summaries,
    meter_events,
    meters,
)
from voldaan.resources.alerts import Alert, AlertChange, AlertCreate, AlertList
from voldaan.resources.core_events import CoreEventList
from voldaan.resources.meter_events import (
    CoreMeterEventAdjustmentCreate,
    CoreMeterEventCreate,
    MeterEventAdjustmentCreate,
    MeterEventBulkCreate,
    MeterEventCreate,
    MeterEventErrorList,
    MeterEventSessionCreate,
    MeterEventStreamCreate,
    MeterEventSummaryList,
)
from voldaan.resources.meters import (
    Meter,
    MeterChange,
    MeterCreate,
    MeterList,
    MeterPolicy,
    MeterPolicyUpdate,
    MeterUpdate,
    OwnMeterCreate,
    PlainMeterList,
)
from voldaan.resources.params import Params

ROUTES: list[RouteLine] = [
    ("GET",    "/v1/billing/meters",                                     lists.page(Meter),                                  PlainMeterList,                     Meter),
    ("POST",   "/v1/billing/meters",                                     meters.create,                                      MeterCreate,                        Meter),
    ("GET",    "/v1/billing/meters/{id}",                                lists.one(Meter),                                   Params,                             Meter),
    ("POST",   "/v1/billing/meters/{id}",                                meters.update,                                      MeterUpdate,                        Meter),
    ("POST",   "/v1/billing/meters/{id}/deactivate",                     meters.deactivate,                                  MeterChange,                        Meter),
    ("POST",   "/v1/billing/meters/{id}/reactivate",                     meters.reactivate,                                  MeterChange,                        Meter),
    ("GET",    "/v1/billing/alerts",                                     lists.page(Alert),                                  AlertList,                          Alert),
    ("POST",   "/v1/billing/alerts",                                     alerts.create,                                      AlertCreate,                        Alert),
    ("GET",    "/v1/billing/alerts/{id}",                                lists.one(Alert),                                   Params,                             Alert),
    ("POST",   "/v1/billing/alerts/{id}/activate",                       alerts.activate,                                    AlertChange,                        Alert),
    ("POST",   "/v1/billing/alerts/{id}/deactivate",                     alerts.deactivate,                                  AlertChange,                        Alert),
    ("POST",   "/v1/billing/alerts/{id}/archive",                        alerts.archive,                                     AlertChange,                        Alert),
    ("POST",   "/v1/billing/meter_events",                               meter_events.create,                                MeterEventCreate,                   None),
    ("POST",   "/v1/billing/meter_event_adjustments",                    meter_event_adjustments.create,                     MeterEventAdjustmentCreate,         None),
    ("GET",    "/v1/billing/meters/{id}/event_summaries",                meter_event_summaries.page,                         MeterEventSummaryList,              None),
    ("POST",   "/v2/billing/meter_events",                               meter_event_batches.create,                         CoreMeterEventCreate,               None),
    ("POST",   "/v2/billing/meter_event_adjustments",                    meter_event_adjustments.create_core,                CoreMeterEventAdjustmentCreate,     None),
    ("POST",   "/v2/billing/meter_event_session",                        meter_event_batches.open_session,                   MeterEventSessionCreate,            None),
    ("POST",   "/v2/billing/meter_event_stream",                         meter_event_batches.stream,                         MeterEventStreamCreate,             None),
    ("GET",    "/v2/core/events",                                        core_events.page,                                   CoreEventList,                      None),
    ("GET",    "/v2/core/events/{id}",                                   core_events.retrieve,                               Params,                             None),

    # ours ────────────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/voldaan/meters",                                        lists.page(Meter),                                  MeterList,                          Meter),
    ("POST",   "/voldaan/meters",                                        meters.create,                                      OwnMeterCreate,                     Meter),
    ("GET",    "/voldaan/meters/{id}/policy",                            meters.policy,                                      Params,                             MeterPolicy),
    ("POST",   "/voldaan/meters/{id}/policy",                            meters.set_policy,                                  MeterPolicyUpdate,                  MeterPolicy),
    ("GET",    "/voldaan/customers/{id}/usage",                          current_usage.of_customer,                          Params,                             None),
    ("POST",   "/voldaan/meter_events/bulk",                             meter_event_batches.bulk,                           MeterEventBulkCreate,               None),
    ("GET",    "/voldaan/meter_event_errors",                            meter_event_errors.page,                            MeterEventErrorList,                None),
]  # fmt: skip
