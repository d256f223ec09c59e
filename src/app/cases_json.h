/* SPDX-License-Identifier: Apache-2.0 */
/* What the use cases give, as JSON: the same on the command line (--json) and in the API. */
#ifndef ATG_APP_CASES_JSON_H
#define ATG_APP_CASES_JSON_H

#include "app/accounts.h"
#include "app/cases.h"
#include "app/matcher.h"
#include "app/merge.h"
#include "base/json.h"

/* {"record": {...}, "erased": false, "hidden": ["born"], "with_reason": ["born"]} */
void cases_write_seen(json *j, const seen *s);
/* The same as a list. */
void cases_write_all(json *j, const seen *all, uint32_t n);

/* {"files": [...], "more": false}; titles only where they may be read. */
void cases_write_files(json *j, const file_page *page);
void cases_write_file(json *j, const file_row *f, atg_str title);

void cases_write_history(json *j, const audit_entry *entries, uint32_t n);
void cases_write_leads(json *j, const lead *leads, uint32_t n);
void cases_write_face_leads(json *j, const face_lead *leads, uint32_t n);

/* The words of ALIKE_..., NULL at the end. */
extern const char *const cases_alike[];
void cases_write_duplicates(json *j, const duplicates *found);

void account_write_info(json *j, const account_info *of);

/* Members of an object. */
void cases_put_id(json *j, const char *key, const uuid *id);  /* none: null */
void cases_put_instant(json *j, const char *key, int64_t at); /* 0: null */
void cases_put_text(json *j, const char *key, atg_str text);
void cases_put_number(json *j, const char *key, int64_t number);

#endif
