-- Events that are written together are compressed together: the first one's row holds the frame, the others name it.

alter table events alter column data drop not null;
alter table events add column held_by text;
alter table events add column place smallint not null default 0;
alter table events add constraint events_held check ((data is null) = (held_by is not null)) not valid;
alter table events validate constraint events_held;
alter table events set (toast_tuple_target = 8160);
