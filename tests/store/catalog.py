"""What a database consists of, in a form that two databases can be compared by.

The order of columns is left out: a column that was added later stands last in an old database, and where it reads
best in the schema.
"""

from typing import Any

import psycopg

NAMESPACES = "n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'"
OURS = f"{NAMESPACES} and c.relname not in ('schema_migrations', 'schema_migrations_pkey')"

PARTS = {
    "schemas": f"select n.nspname, n.nspacl::text from pg_namespace n where {NAMESPACES}",
    "relations": f"""
        select n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.reloptions::text, c.relrowsecurity,
               c.relforcerowsecurity, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
               array(select unnest(c.relacl)::text order by 1)::text, obj_description(c.oid, 'pg_class')
          from pg_class c join pg_namespace n on n.oid = c.relnamespace where {OURS}""",
    "columns": f"""
        select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, a.attcollation::regcollation::text,
               a.attstorage::text, a.attcompression::text, a.attacl::text, col_description(c.oid, a.attnum)
          from pg_attribute a
          join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'v', 'm', 'c')
          join pg_namespace n on n.oid = c.relnamespace
          left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
         where a.attnum > 0 and not a.attisdropped and {OURS}""",
    "constraints": f"""
        select n.nspname, c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid), k.convalidated
          from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
         where {OURS}""",
    "indexes": f"""
        select n.nspname, c.relname, pg_get_indexdef(c.oid), i.indisvalid
          from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
         where {OURS}""",
    "sequences": f"""
        select n.nspname, c.relname, format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmax, s.seqcycle
          from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
         where {OURS}""",
    "views": f"""
        select n.nspname, c.relname, pg_get_viewdef(c.oid)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and {OURS}""",
    "functions": f"""
        select n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_functiondef(p.oid), p.proacl::text
          from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.prokind in ('f', 'p') and {NAMESPACES}""",
    "types": f"""
        select n.nspname, t.typname, t.typtype::text, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
               array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder)::text,
               array(select pg_get_constraintdef(oid) from pg_constraint where contypid = t.oid order by 1)::text
          from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.typtype in ('d', 'e') and {NAMESPACES}""",
    "triggers": f"""
        select n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid)
          from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         where not t.tgisinternal and {OURS}""",
    "policies": """
        select schemaname, tablename, policyname, permissive, roles::text, cmd, qual, with_check from pg_policies""",
    "default privileges": """
        select defaclrole::regrole::text, defaclnamespace::regnamespace::text, defaclobjtype::text, defaclacl::text
          from pg_default_acl""",
    "extensions": "select extname, extversion from pg_extension",
}


def catalog(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in a database that a program can notice, by kind, in order of name."""
    with psycopg.connect(dsn) as connection:
        return {part: sorted(connection.execute(sql).fetchall(), key=repr) for part, sql in PARTS.items()}  # type: ignore[call-overload]
