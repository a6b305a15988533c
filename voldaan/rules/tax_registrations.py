"""Tax registrations: which kinds a country has, and what a change of one means. Source: the SDK's `country_options`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.tax_registrations import CountryParams, TaxRegistration, TaxRegistrationCreate, TaxRegistrationUpdate
from voldaan.rules.countries import EUROPEAN_UNION, codes
from voldaan.rules.place_of_supply import Registration, Scheme
from voldaan.rules.refusals import missing, refused

# Countries with a standard registration, those that also say which sales it covers, and those with a simplified one.
SCHEMED = codes("AE AU CH GB JP NO NZ SG")
STANDARD = codes("AL AO AW BA BB BD BF BH BS CD ET GN IS ME MK MR OM RS SR UY ZA ZW")
SIMPLIFIED = codes(
    """
    AM AZ BJ BW BY CI CL CM CO CR CV EC EG GE GH ID IN KE KG KH KR KZ LA LK MA MD MU MX MY NG NP PE PH RU SA SN TH TJ TR TW
    TZ UA UG UZ VN ZM
    """
)
ONE_STOP = ("oss_union", "oss_non_union", "ioss")
US = frozenset(
    {"local_amusement_tax", "local_lease_tax", "state_communications_tax", "state_retail_delivery_fee", "state_sales_tax"}
)


def make(params: TaxRegistrationCreate, *, id: str, now: int, livemode: bool) -> TaxRegistration:
    """The registration that is asked for. Refuses what the country does not know."""
    country = params.country.upper()
    name = country.lower()
    scheme, options = _options(country, params.country_options[name], f"country_options[{name}]")
    active_from = now if params.active_from == "now" else int(params.active_from)
    if active_from < now:
        raise refused("`active_from` must be `now` or in the future.", "active_from")
    if params.expires_at is not None and params.expires_at <= active_from:
        raise refused("`expires_at` must be after `active_from`.", "expires_at")
    return TaxRegistration(
        id=id,
        active_from=active_from,
        country=country,
        country_options={name: options},
        created=now,
        expires_at=params.expires_at,
        livemode=livemode,
        scheme=scheme,
        state=options.get("state") or (options.get("province_standard") or {}).get("province"),
    ).as_of(now)


def changed(was: TaxRegistration, params: TaxRegistrationUpdate, now: int) -> TaxRegistration:
    """The registration with another beginning or end. What has begun or ended is not changed any more."""
    given = params.model_fields_set
    active_from, expires_at = was.active_from, was.expires_at
    if params.active_from is not None:
        if was.active_from <= now:
            raise refused("You can only change `active_from` of a registration that is scheduled.", "active_from")
        active_from = now if params.active_from == "now" else int(params.active_from)
        if active_from < now:
            raise refused("`active_from` must be `now` or in the future.", "active_from")
    if "expires_at" in given:
        if was.expires_at is not None and was.expires_at <= now:
            raise refused("You cannot change a registration that has expired. Create a new one.", "expires_at")
        expires_at = now if params.expires_at == "now" else int(params.expires_at) if params.expires_at else None
        if expires_at is not None and expires_at < max(now, active_from):
            raise refused("`expires_at` must not be in the past, nor before `active_from`.", "expires_at")
    return replace(was, active_from=active_from, expires_at=expires_at).as_of(now)


def overlaps(one: TaxRegistration, other: TaxRegistration) -> bool:
    """Whether two of the same country and kind cover the same instant."""
    if (one.country, one.scheme in ONE_STOP, one.state) != (other.country, other.scheme in ONE_STOP, other.state):
        return False
    if one.scheme in ONE_STOP and one.scheme != other.scheme:
        return False
    starts = max(one.active_from, other.active_from)
    ends = [each.expires_at for each in (one, other) if each.expires_at is not None]
    return not ends or starts < min(ends)


def fact(registration: TaxRegistration) -> Registration:
    """As the place of supply is decided with."""
    scheme: Any = registration.scheme
    return Registration(registration.country, scheme, registration.active_from, registration.expires_at, registration.state)


def _options(country: str, given: CountryParams, at: str) -> tuple[Scheme, dict[str, Any]]:
    """The scheme, and the country's options as they are answered."""
    kinds = _kinds(country)
    if not kinds:
        raise refused(f"Registrations in {country} are not supported.", "country")
    if given.type not in kinds:
        raise refused(f"Invalid {at}[type]: must be one of {', '.join(sorted(kinds))}", f"{at}[type]")
    options: dict[str, Any] = {"type": given.type}
    scheme: Scheme = "standard"
    if country in EUROPEAN_UNION or country in SCHEMED:
        if given.type == "standard":
            scheme = given.standard.place_of_supply_scheme if given.standard else "standard"
            if scheme == "small_seller" and country not in EUROPEAN_UNION:
                raise refused("Only member states of the European Union have small sellers.", f"{at}[standard]")
            options["standard"] = {"place_of_supply_scheme": scheme}
        elif given.standard is not None:
            raise refused(f"A registration of type {given.type} has no `standard` options.", f"{at}[standard]")
        else:
            scheme = given.type  # type: ignore[assignment]
    for name, wanted in (("state", country == "US"), ("province_standard", given.type == "province_standard")):
        value = getattr(given, name)
        if wanted and value is None:
            raise missing(f"{at}[{name}]")
        if not wanted and value is not None:
            raise refused(f"`{name}` says nothing of this registration.", f"{at}[{name}]")
        if wanted:
            options[name] = value if isinstance(value, str) else value.model_dump()
    for name in ("local_amusement_tax", "local_lease_tax"):
        local = getattr(given, name)
        if given.type == name and local is None:
            raise missing(f"{at}[{name}]")
        if given.type != name and local is not None:
            raise refused(f"`{name}` says nothing of this registration.", f"{at}[{name}]")
        if local is not None:
            options[name] = local.model_dump()
    return scheme, options


def _kinds(country: str) -> frozenset[str]:
    if country in EUROPEAN_UNION:
        return frozenset({"standard", *ONE_STOP})
    if country == "CA":
        return frozenset({"standard", "simplified", "province_standard"})
    if country == "US":
        return US
    if country in SCHEMED or country in STANDARD:
        return frozenset({"standard"})
    return frozenset({"simplified"}) if country in SIMPLIFIED else frozenset()
