/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cases_json.h"

#include "base/instant.h"

/* ---- members ---- */

void cases_put_id(json *j, const char *key, const uuid *id) {
    char text[UUID_TEXT + 1];

    json_key(j, key);
    if (uuid_none(id)) {
        json_none(j);
        return;
    }
    uuid_text(id, text);
    json_text(j, text);
}

void cases_put_instant(json *j, const char *key, int64_t at) {
    char text[INSTANT_TEXT + 1];

    json_key(j, key);
    if (!at) {
        json_none(j);
        return;
    }
    instant_text(at, text);
    json_text(j, text);
}

void cases_put_text(json *j, const char *key, atg_str text) {
    json_key(j, key);
    json_str(j, text);
}

void cases_put_number(json *j, const char *key, int64_t number) {
    json_key(j, key);
    json_int(j, number);
}

/* ---- records ---- */

static void write_names(json *j, const char *key, record_kind kind, uint64_t fields) {
    json_key(j, key);
    json_array_line(j);
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (fields >> f & 1)
            json_text(j, record_field(kind, f)->name);
    json_end(j, ']');
}

void cases_write_seen(json *j, const seen *s) {
    json_begin_object(j);
    json_key(j, "record");
    record_write_json(j, s->r, NULL, NULL);
    json_key(j, "erased");
    json_bool(j, s->erased);
    write_names(j, "hidden", s->r->kind, s->hidden);
    write_names(j, "with_reason", s->r->kind, s->wanting);
    json_end(j, '}');
}

void cases_write_all(json *j, const seen *all, uint32_t n) {
    json_begin_array(j);
    for (uint32_t i = 0; i < n; i++)
        cases_write_seen(j, &all[i]);
    json_end(j, ']');
}

/* ---- files ---- */

void cases_write_file(json *j, const file_row *f, atg_str title) {
    const char *const *states = record_types[f->kind].states;

    json_object_line(j);
    cases_put_text(j, "code", f->code);
    cases_put_id(j, "id", &f->id);
    json_key(j, "kind");
    json_text(j, record_types[f->kind].name);
    json_key(j, "state");
    json_text(j, states[0] ? states[f->state] : "");
    json_key(j, "sex");
    json_text(j, f->sex < 0 ? "" : record_field(RECORD_MISSING, MISSING_SEX)->choices[f->sex]);
    cases_put_instant(j, "changed", f->changed);
    json_key(j, "withdrawn");
    json_bool(j, f->withdrawn);
    if (title.n)
        cases_put_text(j, "name", title);
    json_end(j, '}');
}

void cases_write_files(json *j, const file_page *page) {
    json_begin_object(j);
    json_key(j, "files");
    json_begin_array(j);
    for (uint32_t i = 0; i < page->n; i++)
        cases_write_file(j, &page->rows[i], page->titles ? page->titles[i] : (atg_str){NULL, 0});
    json_end(j, ']');
    json_key(j, "more");
    json_bool(j, page->more);
    json_end(j, '}');
}

/* ---- history ---- */

void cases_write_history(json *j, const audit_entry *entries, uint32_t n) {
    json_begin_array(j);
    for (uint32_t i = 0; i < n; i++) {
        const chain_entry *e = &entries[i].e;
        char account[UUID_TEXT + 1], id[UUID_TEXT + 1];

        uuid_text(&e->account, account);
        uuid_text(&e->record, id);
        json_object_line(j);
        cases_put_number(j, "seq", (int64_t)e->seq);
        cases_put_instant(j, "at", e->at);
        cases_put_text(j, "account", atg_str_of(account));
        cases_put_text(j, "action", e->action);
        cases_put_text(j, "kind", e->kind);
        cases_put_text(j, "record", atg_str_of(id));
        cases_put_number(j, "rev", (int64_t)e->rev);
        json_key(j, "detail");
        json_raw(j, e->detail);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- hypotheses, duplicates ---- */

void cases_write_leads(json *j, const lead *leads, uint32_t n) {
    json_begin_array(j);
    for (uint32_t i = 0; i < n; i++) {
        json_begin_object(j);
        cases_put_text(j, "remains", leads[i].remains.code);
        cases_put_text(j, "missing", leads[i].missing.code);
        json_key(j, "hypothesis");
        cases_write_seen(j, &leads[i].record);
        json_end(j, '}');
    }
    json_end(j, ']');
}

const char *const cases_alike[] = {"names",     "a given name", "birth date",
                                   "relatives", "the same DNA", "the same place in a pedigree",
                                   NULL};

void cases_write_duplicates(json *j, const duplicates *found) {
    json_begin_array(j);
    for (uint32_t i = 0; i < found->n; i++) {
        const duplicate *d = &found->pairs[i];

        json_object_line(j);
        cases_put_text(j, "one", d->one.code);
        cases_put_text(j, "other", d->other.code);
        cases_put_number(j, "points", d->score);
        json_key(j, "alike");
        json_array_line(j);
        for (uint32_t k = 0; cases_alike[k]; k++)
            if (d->alike >> k & 1)
                json_text(j, cases_alike[k]);
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- accounts ---- */

static void write_grants(json *j, const account_info *of) {
    json_key(j, "grants");
    json_begin_array(j);
    for (uint32_t g = 0; g < of->n_grants; g++) {
        json_object_line(j);
        cases_put_id(j, "operation", &of->grants[g].operation);
        json_key(j, "roles");
        json_array_line(j);
        for (int r = 0; r < ROLES; r++)
            if (of->grants[g].roles >> r & 1)
                json_text(j, role_names[r]);
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
}

void account_write_info(json *j, const account_info *of) {
    json_object_line(j);
    cases_put_id(j, "account", &of->id);
    cases_put_text(j, "name", of->name);
    cases_put_text(j, "agency", of->agency);
    json_key(j, "blocked");
    json_bool(j, of->blocked);
    json_key(j, "first_password");
    json_bool(j, of->once);
    json_key(j, "second_factor");
    json_bool(j, of->code);
    cases_put_number(j, "recovery_codes", of->recovery);
    cases_put_instant(j, "created", of->created);
    write_grants(j, of);
    json_end(j, '}');
}

void cases_write_face_leads(json *j, const face_lead *leads, uint32_t n) {
    json_object_line(j);
    json_key(j, "candidates");
    json_array_line(j);
    for (uint32_t i = 0; i < n; i++) {
        json_object_line(j);
        json_key(j, "missing");
        json_str(j, leads[i].missing.code);
        json_key(j, "candidate");
        cases_write_seen(j, &leads[i].record);
        json_key(j, "conclusions");
        json_array_line(j);
        for (uint32_t k = 0; k < leads[i].n_said; k++)
            cases_write_seen(j, &leads[i].said[k]);
        json_end(j, ']');
        json_key(j, "disagree");
        json_bool(j, leads[i].disagree);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}
