/* SPDX-License-Identifier: Apache-2.0 */
#include "app/bundle_internal.h"
#include "base/clock.h"
#include "base/json.h"

static void put_id(json *j, const char *key, const uuid *id) {
    char text[UUID_TEXT + 1];

    uuid_text(id, text);
    json_key(j, key);
    json_text(j, text);
}

int bundle_tell(db *d, const actor *who, const bundle_event *e, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    audit_event event = {.file = *e->operation,
                         .at = clock_now(),
                         .account = who->account,
                         .action = e->action,
                         .kind = "",
                         .record = *e->bundle};
    json j;
    int rc;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    j = json_new(buf);
    json_object_line(&j);
    put_id(&j, "bundle", e->bundle);
    for (int i = 0; e->names[i]; i++) {
        json_key(&j, e->names[i]);
        json_int(&j, (int64_t)e->numbers[i]);
    }
    json_key(&j, "reason");
    json_str(&j, who->reason);
    json_key(&j, "site");
    json_str(&j, e->site);
    put_id(&j, "store", e->peer);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &event.detail, err);
    event.detail = atg_str_trim(event.detail);
    return rc ? rc : audit_append(d, &event, err);
}
