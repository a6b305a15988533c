"""Tax ids: the number under which a customer, or the business itself, is known to a tax office."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Expandable, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Hash, PageParams, Params

# country_kind; eu_ is the European Union, and "unknown" is only ever read, never given.
TaxIdType = Literal[
    "ad_nrt", "ae_trn", "al_tin", "am_tin", "ao_tin", "ar_cuit", "au_abn", "au_acn", "au_arn", "au_wpn", "aw_tin",
    "az_tin", "ba_tin", "bb_tin", "bd_bin", "bf_ifu", "bg_uic", "bh_vat", "bj_ifu", "bo_tin", "br_cnpj", "br_cpf",
    "bs_tin", "bw_vat", "by_tin", "ca_bn", "ca_gst_hst", "ca_pst_bc", "ca_pst_mb", "ca_pst_sk", "ca_qst", "cd_nif",
    "ch_uid", "ch_vat", "ci_vat", "cl_tin", "cm_niu", "cn_tin", "co_nit", "cr_tin", "cv_nif", "cz_dic", "de_stn",
    "do_rcn", "ec_ruc", "eg_tin", "es_cif", "et_tin", "eu_oss_vat", "eu_vat", "fo_vat", "fr_siren", "fr_siret",
    "fr_spi", "gb_vat", "ge_vat", "gh_tin", "gi_tin", "gn_nif", "hk_br", "hr_oib", "hu_tin", "ic_nif", "id_npwp",
    "il_vat", "in_gst", "is_kt", "is_vat", "it_cf", "jp_cn", "jp_rn", "jp_trn", "ke_pin", "kg_tin", "kh_tin", "kr_brn",
    "kz_bin", "la_tin", "li_uid", "li_vat", "lk_vat", "ma_vat", "md_cf", "md_vat", "me_pib", "mk_vat", "mr_nif",
    "mu_vat", "mx_rfc", "my_frp", "my_itn", "my_sst", "mz_nuit", "ng_tin", "no_vat", "no_voec", "np_pan", "nz_bn",
    "nz_gst", "om_vat", "pe_ruc", "ph_tin", "pl_nip", "pt_nif", "py_ruc", "ro_tin", "rs_pib", "ru_inn", "ru_kpp",
    "sa_vat", "sg_gst", "sg_uen", "si_tin", "sm_coe", "sn_ninea", "sr_fin", "sv_nit", "th_vat", "tj_tin", "tr_tin",
    "tt_bir", "tt_vat", "tw_vat", "tz_vat", "ua_vat", "ug_tin", "us_ein", "uy_ruc", "uz_tin", "uz_vat", "ve_rif",
    "vn_tin", "za_vat", "zm_tin", "zw_tin",
]  # fmt: skip


class TaxIdOwner(Part, kw_only=True):
    account: Annotated[str | UnsetType, Expandable("account")] = UNSET
    application: str | UnsetType = UNSET
    customer: Annotated[str | UnsetType, Expandable("customer")] = UNSET
    customer_account: str | None = None
    type: Literal["account", "application", "customer", "self"]


class TaxIdVerification(Part, kw_only=True):
    """What the tax office says of it. `unavailable` where nobody can be asked."""

    status: Literal["pending", "unavailable", "unverified", "verified"]
    verified_address: str | None = None
    verified_name: str | None = None


class TaxId(Resource, kw_only=True):
    """Belongs to a customer, or to the business itself when `customer` is null."""

    TABLE: ClassVar[Table] = Table("tax_ids", prefix="txi")
    object: Literal["tax_id"] = "tax_id"
    country: str | None = None
    created: Annotated[Instant, Column("created_at")]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    livemode: bool
    owner: TaxIdOwner | None = None
    type: Annotated[TaxIdType | Literal["unknown"], Column()]
    value: Annotated[str, Column()]
    verification: TaxIdVerification | None = None


class TaxIdData(Hash):
    """A tax id within another request."""

    type: TaxIdType
    value: str


class CustomerTaxIdCreate(Params):
    type: TaxIdType
    value: str


class TaxIdOwnerParams(Hash):
    account: str | None = None
    customer: str | None = None
    customer_account: str | None = None
    type: Literal["account", "application", "customer", "self"]


class TaxIdCreate(CustomerTaxIdCreate):
    owner: TaxIdOwnerParams | None = None


class TaxIdDelete(Params):
    pass


class CustomerTaxIdList(PageParams):
    pass


class TaxIdList(PageParams):
    owner: TaxIdOwnerParams | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "owner.customer": "t.customer_id = %(owner_customer)s",
        "owner.type": (
            "case %(owner_type)s::text when 'customer' then t.customer_id is not null "
            "when 'self' then t.customer_id is null else false end"
        ),
        "owner.account": "false",
        "owner.customer_account": "false",
    }
    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"owner": "t.customer_id is null"}
