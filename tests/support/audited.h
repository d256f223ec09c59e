/* SPDX-License-Identifier: Apache-2.0 */
/* A store with the tables of the records, and histories made up in it. */
#ifndef ATG_TESTS_AUDITED_H
#define ATG_TESTS_AUDITED_H

#include "database.h"
#include "store/audit.h"
#include "store/records.h"
#include "store/store.h"

static inline void must(int rc, const atg_err *err) {
    if (rc)
        fail_msg("code %d: %s", rc, err->msg);
}

static inline db *audited_open(const database *where) {
    const migration tables[] = {{1, "records", record_ddl_sqlite, record_ddl_postgres}};
    migrate_plan plan = {
        .migrations = tables, .n = 1, .directory = where->directory, .create = true};
    db_options options = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    must(migrate(d, &plan, &err), &err);
    return d;
}

/* The n-th made-up identifier of a kind. */
static inline uuid audited_id(unsigned char kind, uint32_t n) {
    uuid id = {{kind, [6] = 0x70, [8] = 0x80}};

    for (int i = 0; i < 4; i++)
        id.bytes[12 + i] = (unsigned char)(n >> (24 - 8 * i));
    return id;
}

static inline audit_event audited_event(uint32_t file, int64_t rev) {
    return (audit_event){.file = audited_id(1, file),
                         .at = 1700000000000000 + rev,
                         .account = audited_id(2, file % 7),
                         .action = rev == 1 ? "add" : "edit",
                         .kind = "missing",
                         .record = audited_id(1, file),
                         .rev = rev,
                         .detail = ATG_STR("{\"sex\":[null,\"female\"]}"),
                         .first = rev == 1};
}

#endif
