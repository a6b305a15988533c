"""The phases of a subscription schedule: when each begins and ends, and what no schedule can consist of.

Phases tile time without gap or overlap, each [start_date, end_date). Sources: docs/behaviour-billing.md, "Schedules".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from voldaan.resources.schedule_params import PHASES_MAX, PhaseChangeParams, PhaseParams
from voldaan.resources.subscription_schedules import Phase, ScheduleDefaults
from voldaan.rules import lines, periods, thresholds
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.phase_settings import restarts, with_defaults
from voldaan.rules.refusals import missing, refused
from voldaan.rules.subscription_fields import FIVE_YEARS, check_days_until_due
from voldaan.rules.subscription_items import NewItem, check_amounts, check_items

Rhythm = tuple[periods.Interval, int]


@dataclass(frozen=True, slots=True)
class Calendar:
    """By which the subscription is billed: its zone, and its anchor if it exists already."""

    zone: str
    anchor: int | None = None


@dataclass(slots=True)
class Wanted:
    """A phase of a request with what it names looked up; `phase` has no dates yet. `here` is how the request calls it."""

    params: PhaseParams
    phase: Phase
    here: str


def laid_out(
    catalogue: Catalogue, wanted: Sequence[Wanted], defaults: ScheduleDefaults, start: int, now: int, calendar: Calendar
) -> list[Phase]:
    """The phases with their dates, the first from `start`."""
    if not wanted:
        raise missing("phases")
    if len(wanted) > PHASES_MAX:
        raise refused(f"A subscription schedule can have up to {PHASES_MAX} current and future phases.", "phases")
    found: list[Phase] = []
    rhythm: Rhythm | None = None
    anchor = calendar.anchor
    for each in wanted:
        begins = found[-1].end_date if found else start
        _check_start(each, begins, now)
        own = rhythm_of(catalogue, each.phase)
        if anchor is not None and (own != rhythm is not None or restarts(each.phase, defaults)):
            anchor = begins
        end = _end(each, begins, own, begins if anchor is None else anchor, calendar.zone, now)
        phase = _with_trial(each, replace(each.phase, start_date=begins, end_date=end), defaults, now)
        anchor = phase.trial_end or (begins if anchor is None else anchor)
        rhythm = own
        found.append(phase)
    _check_end(wanted, found, now)
    return found


def rhythm_of(catalogue: Catalogue, phase: Phase) -> Rhythm:
    """The shortest interval of its items: that by which it is billed."""
    rhythms = [lines.interval(catalogue, item.price) for item in phase.items]
    return min(rhythms, key=periods.length)


def check(catalogue: Catalogue, each: Wanted, inline: set[str], currency: str, mode: str) -> None:
    """Refuses items that no subscription in this currency can have. A price made for the schedule is not active for others."""
    items = [NewItem("", item.price, item.quantity) for item in each.phase.items]
    places = [f"{each.here}[items][{number}]" for number in range(len(items))]
    named = [(item.price, f"{at}[price]") for item, at in zip(items, places, strict=True)]
    check_items(catalogue, named, currency, mode, fixed=inline)
    check_amounts(catalogue, items, currency, [f"{at}[quantity]" for at in places])
    own, param = each.phase.billing_thresholds, f"{each.here}[billing_thresholds][amount_gte]"
    thresholds.check_amount(catalogue, own, [item.price for item in items], currency, param)


def check_terms(each: Wanted, defaults: ScheduleDefaults) -> None:
    """Refuses days until due without an invoice that is sent, and an invoice that is sent without them."""
    phase = with_defaults(each.phase, defaults)
    days = phase.invoice_settings.days_until_due if phase.invoice_settings else None
    said = each.phase.invoice_settings.days_until_due if each.phase.invoice_settings else None
    check_days_until_due(phase.collection_method, days, said, f"{each.here}[invoice_settings][days_until_due]")


def in_force(phases: Sequence[Phase], at: int) -> Phase | None:
    """The phase that contains the instant."""
    return next((phase for phase in phases if phase.start_date <= at < phase.end_date), None)


def _check_start(each: Wanted, begins: int, now: int) -> None:
    if not isinstance(each.params, PhaseChangeParams) or each.params.start_date is None:
        return
    given = now if each.params.start_date == "now" else each.params.start_date
    if given != begins:
        raise refused(
            f"The `start_date` of a phase must be the `end_date` of the phase before it ({begins}).", f"{each.here}[start_date]"
        )


def _end(each: Wanted, begins: int, rhythm: Rhythm, anchor: int, zone: str, now: int) -> int:
    """A given end, or so many intervals after the start: by the billing cycle, where the phase begins with a period."""
    given: Any = each.params.end_date
    if given == "now":
        given = now
    if isinstance(given, int):
        if given <= begins:
            raise refused("The `end_date` of a phase must be after its `start_date`.", f"{each.here}[end_date]")
        return given
    duration = each.params.duration
    interval, count = (duration.interval, duration.interval_count) if duration else rhythm
    end = periods.later(begins, interval, count, anchor, zone)
    if end == periods.BEYOND:
        raise refused("The phase ends too far in the future.", f"{each.here}[duration]")
    return end


def _with_trial(each: Wanted, phase: Phase, defaults: ScheduleDefaults, now: int) -> Phase:
    params, param = each.params, f"{each.here}[trial_end]"
    given: Any = params.trial_end
    end = now if given == "now" else given
    if params.trial:
        if end is not None and (end != phase.end_date or not isinstance(params, PhaseChangeParams)):
            raise refused("`trial_end` and `trial` of a phase cannot be combined.", param)
        end = phase.end_date
    if end is None:
        return phase
    if not phase.start_date <= end <= phase.end_date:
        raise refused("The `trial_end` of a phase must be within the phase.", param)
    if restarts(phase, defaults):
        raise refused(
            "`billing_cycle_anchor` cannot be `phase_start` if the phase has a trial.", f"{each.here}[billing_cycle_anchor]"
        )
    return replace(phase, trial_end=end) if end > phase.start_date else phase


def _check_end(wanted: Sequence[Wanted], phases: Sequence[Phase], now: int) -> None:
    last = phases[-1]
    if last.end_date > max(phases[0].start_date, now) + FIVE_YEARS:
        raise refused("A subscription schedule can last for five years at most.", f"{wanted[-1].here}[end_date]")
    if last.end_date <= now:
        raise refused("The last phase must end in the future.", f"{wanted[-1].here}[end_date]")

