/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are an exported history that is written again byte for byte, or refused with a
 * sentence; and verifying them ends in one way or another. */
#include "store/audit_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_at(void *user, uint64_t at, unsigned char *to, size_t n, atg_err *err) {
    (void)err;
    memcpy(to, (const unsigned char *)user + at, n);
    return ATG_OK;
}

static int collect(void *user, atg_str bytes, atg_err *err) {
    (void)err;
    atg_buf_add(user, bytes);
    return ATG_OK;
}

/* What can be read is written again as it was. */
static void check_again(audit_file *f, atg_str text) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(256 << 20);
    audit_source source = audit_file_source(f);
    audit_run run = {.source = &source, .threads = 1};
    atg_err err = {0};
    atg_str again;
    int rc = buf ? audit_export_from(&run, (stream_sink){collect, buf}, &err) : ATG_ENOMEM;

    if (rc == ATG_OK && atg_buf_take(buf, &again, NULL) == ATG_OK && !atg_str_eq(again, text))
        abort();
    if (rc && !err.msg[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sign_pair pair; /* signed the seeds */
    audit_wanted wanted = {.pub = &pair.pub};
    ATG_AUTO(audit_file) f = NULL;
    audit_report report = {.entries = 77};
    atg_err err = {0};
    unsigned char *copy = malloc(size ? size : 1);
    audit_bytes bytes = {.read = read_at, .user = copy, .size = size};
    int rc;

    if (!copy)
        return 0;
    sign_pair_of(&(key256){{1}}, &pair);
    if (size)
        memcpy(copy, data, size);
    rc = audit_file_open(&bytes, &f, &err);
    if (rc == ATG_OK) {
        rc = audit_file_check(f, &wanted, 1, NULL, &report, &err);
        check_again(f, (atg_str){(const char *)data, size});
    }
    if (rc && (!err.msg[0] || report.entries != 77))
        abort();
    if (rc != ATG_OK && rc != ATG_EPARSE && rc != ATG_EDENIED && rc != ATG_ENOMEM)
        abort();
    free(copy);
    return 0;
}
