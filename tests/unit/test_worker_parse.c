/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "inputs.h"
#include "workers.h"

#include "base/bytes.h"
#include "crypto/key.h"
#include "formats/bundle.h"

enum { ARENA = 64 << 20 };

static atg_arena *arena;
static worker_pool *pool;

static int set_up(void **state) {
    (void)state;
    arena = atg_arena_new(ARENA);
    pool = open_pool((worker_options){.uses = 100000});
    return arena && pool ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    worker_pool_close(pool);
    atg_arena_free(arena);
    return 0;
}

static worker_input input(const char *name, atg_str bytes) {
    return (worker_input){.bytes = bytes, .name = atg_str_of(name)};
}

static worker_parsed parsed(worker_parse_ask ask) {
    worker_parsed p = {0};
    atg_err err = {0};

    if (worker_parse(pool, &ask, arena, &p, &err))
        fail_msg("%u:%u: %s", err.line, err.col, err.msg);
    assert_int_equal(p.size, p.json.n);
    return p;
}

static atg_err refused(worker_parse_ask ask, int code, const char *words) {
    worker_parsed p = {.size = 77};
    atg_err err = {0};
    int rc = worker_parse(pool, &ask, arena, &p, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_int_equal(p.size, 77);
    return err;
}

static json_t *json_of(atg_str text) {
    json_error_t e;
    json_t *v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);

    if (!v)
        fail_msg("%s: %.*s", e.text, text.n > 300 ? 300 : (int)text.n, text.p);
    return v;
}

static const char *text_of(const json_t *v, const char *key) {
    const char *s = json_string_value(json_object_get(v, key));

    return s ? s : "";
}

/* ---- operations ---- */

/* What this process makes of it. */
static int read_here(const char *name, atg_str bytes, atg_buf *ret, atg_err *err) {
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    int rc = atg_format_guess(atg_str_of(name), bytes) == ATG_FORMAT_FAMILIAS
                 ? atg_familias_read(arena, bytes, &op, notes, err)
                 : atg_operation_read_json(arena, bytes, &op, notes, err);

    if (rc == ATG_OK)
        rc = atg_operation_check(&op, err);
    return rc ? rc : atg_operation_write_json(&op, NULL, ret, err);
}

static void same_as_here(const char *name, atg_str bytes) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    worker_input in = input(name, bytes);
    worker_parse_ask ask = {.kind = WORKER_PARSE_OPERATION, .n = 1, .in = &in};
    atg_err here = {0}, there = {0};
    atg_str want = {0};
    worker_parsed p = {0};
    int rc;

    assert_non_null(buf);
    rc = read_here(name, bytes, buf, &here);
    assert_int_equal(worker_parse(pool, &ask, arena, &p, &there), rc);
    if (rc) {
        assert_int_equal(there.line, here.line);
        assert_int_equal(there.col, here.col);
        assert_string_equal(there.msg, here.msg);
        return;
    }
    assert_int_equal(atg_buf_take(buf, &want, NULL), ATG_OK);
    assert_true(atg_str_eq(p.json, want));
}

static void operations_are_read_as_in_this_process(void **state) {
    static const struct {
        const char *target, *name;
    } seeds[] = {
        {"familias", "ferry.fam"},        {"familias", "paternity.fam"},
        {"operation", "documented.json"}, {"operation", "every-member.json"},
        {"operation", "reference.json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
        atg_str bytes = seed_of(arena, seeds[i].target, seeds[i].name);

        same_as_here(seeds[i].name, bytes);
        /* cut off, the same failure in the same place */
        for (size_t k = 1; k < 8; k++)
            same_as_here("cut.fam", (atg_str){bytes.p, bytes.n * k / 8});
    }
}

static worker_parse_ask tables(const worker_input *in, uint32_t n) {
    return (worker_parse_ask){.kind = WORKER_PARSE_OPERATION,
                              .n = n,
                              .in = in,
                              .population = ATG_STR("Here"),
                              .min_frequency = 0.001,
                              .female = {ATG_MUT_EQUAL, 0.001, 0, 0},
                              .male = {ATG_MUT_EQUAL, 0.002, 0, 0}};
}

static void tables_and_frequencies_become_an_operation(void **state) {
    worker_input in[] = {
        input("rows.csv", ATG_STR("id,body,family,missing,TH01\nS1,B1,,,6/9.3\n"
                                  "R1,,F1,,6/7\nM1,,F1,M-1,\n")),
        input("freq.csv", ATG_STR("Allele,TH01\n6,0.2\n7,0.3\n9.3,0.5\n")),
    };
    worker_parsed p = parsed(tables(in, 2));
    json_t *op = json_of(p.json);

    (void)state;
    assert_string_equal(text_of(op, "schema"), "antigone-operation/1");
    assert_int_equal(json_array_size(json_object_get(op, "remains")), 1);
    json_decref(op);
}

static void what_is_wrong_is_told_with_file_line_and_column(void **state) {
    worker_input in[] = {
        input("rows.csv", ATG_STR("id,TH01\nS1,6/9.3\nS2,6/7/8\n")),
        input("freq.csv", ATG_STR("Allele,TH01\n6,0.2\n7,0.3\n9.3,0.5\n")),
        input("more.csv", ATG_STR("id,TH01\nS3,\"6\n")),
    };
    worker_input swapped[] = {in[1], in[0]};
    worker_parse_ask ask = tables(in, 2);
    atg_err err = refused(ask, ATG_EPARSE, "rows.csv: ");

    (void)state;
    assert_int_equal(err.line, 3);
    assert_int_equal(err.col, 4);
    (void)refused(tables(swapped, 2), ATG_EPARSE, "rows.csv: ");
    (void)refused(tables(in, 3), ATG_EPARSE, "rows.csv: ");
    in[0].bytes = ATG_STR("id,TH01\nS1,6/9.3\n");
    err = refused(tables(in, 3), ATG_EPARSE, "more.csv: ");
    assert_int_equal(err.line, 2);
    (void)refused(tables(in, 1), ATG_EINVAL, "need one file of allele frequencies");
    (void)refused(tables(&in[1], 1), ATG_EINVAL, "frequencies only");
    ask.male.rate = 2;
    (void)refused(ask, ATG_EINVAL, "mutation model");
    in[0].bytes = ATG_STR("\x89PNG\r\n\x1a\n\0\0\0\0");
    (void)refused(tables(in, 2), ATG_EPARSE, "rows.csv: This is none of the formats");
    (void)refused(tables(in, 1), ATG_EPARSE, "This is none of the formats");
    (void)refused((worker_parse_ask){.n = 0}, ATG_EINVAL, "1 to 8 files");
}

static void an_entity_of_xml_reaches_no_file(void **state) {
    worker_input in = input("x.xml", seed_of(arena, "cmf", "entities.xml"));
    worker_parse_ask ask = {.kind = WORKER_PARSE_PROFILES, .n = 1, .in = &in};
    worker_parsed p = {0};
    atg_err err = {0};
    int rc = worker_parse(pool, &ask, arena, &p, &err);

    (void)state;
    assert_true(rc == ATG_EPARSE || !memmem(p.json.p, p.json.n, "root:", 5));
}

static void rows_of_genotypes_come_with_their_places(void **state) {
    worker_input in = input("w.csv", seed_of(arena, "table", "wide.csv"));
    worker_parsed p = parsed((worker_parse_ask){.kind = WORKER_PARSE_PROFILES, .n = 1, .in = &in});
    json_t *v = json_of(p.json), *rows = json_object_get(v, "rows");
    uint32_t n = 0;
    const atg_profile_row *want = NULL;

    (void)state;
    assert_int_equal(atg_table_read(arena, in.bytes, &n, &want, NULL, NULL), ATG_OK);
    assert_string_equal(text_of(v, "schema"), "antigone-profiles/1");
    assert_int_equal(json_array_size(rows), n);
    for (uint32_t i = 0; i < n; i++) {
        json_t *row = json_array_get(rows, i), *calls = json_object_get(row, "calls");

        assert_is(want[i].id, text_of(row, "id"));
        assert_int_equal(json_integer_value(json_object_get(row, "line")), want[i].line);
        assert_int_equal(json_array_size(calls), want[i].n_calls);
        for (uint32_t k = 0; k < want[i].n_calls; k++)
            assert_is(want[i].calls[k].marker,
                      json_string_value(json_array_get(json_array_get(calls, k), 0)));
    }
    json_decref(v);
    in = input("c.xml", seed_of(arena, "cmf", "remains.xml"));
    v = json_of(parsed((worker_parse_ask){.kind = WORKER_PARSE_PROFILES, .n = 1, .in = &in}).json);
    assert_true(json_array_size(json_object_get(v, "rows")) > 0);
    json_decref(v);
}

/* ---- tables ---- */

static void a_table_of_anything_keeps_texts_and_places(void **state) {
    worker_input in = input("t.csv", ATG_STR("\xef\xbb\xbf"
                                             "tag;name\r\n\r\n"
                                             "P1;\"a \"\"b\"\"\nc\"\r\nP2;=1+1\r\n"));
    json_t *v =
        json_of(parsed((worker_parse_ask){.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in}).json);
    json_t *rows = json_object_get(v, "rows"), *row = json_array_get(rows, 1), *place;
    atg_err err;

    (void)state;
    assert_string_equal(text_of(v, "schema"), "antigone-table/1");
    assert_int_equal(json_array_size(rows), 3);
    assert_int_equal(json_integer_value(json_object_get(row, "line")), 3);
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "cells"), 1)),
                        "a \"b\"\nc");
    place = json_array_get(json_object_get(row, "places"), 1);
    assert_int_equal(json_integer_value(json_array_get(place, 0)), 3);
    assert_int_equal(json_integer_value(json_array_get(place, 1)), 4);
    row = json_array_get(rows, 2);
    assert_int_equal(json_integer_value(json_object_get(row, "line")), 5);
    json_decref(v);
    in.bytes = ATG_STR("a,b\n\"open");
    err = refused((worker_parse_ask){.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in}, ATG_EPARSE,
                  "quote");
    assert_int_equal(err.line, 2);
    in.bytes = ATG_STR("a,M\xfcller\n");
    assert_int_equal(
        parsed((worker_parse_ask){.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in}).n_notes, 1);
}

static int add_up(void *user, atg_str bytes, atg_err *err) {
    uint64_t *sum = user;

    (void)err;
    *sum += bytes.n;
    return ATG_OK;
}

static void a_long_table_flows_through_a_sink(void **state) {
    enum { ROWS = 60000 };
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    uint64_t got = 0;
    worker_sink sink = {add_up, &got};
    worker_input in = {.fd = -1};
    worker_parse_ask ask = {.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in, .to = &sink};
    worker_parsed p;

    (void)state;
    assert_non_null(buf);
    for (int i = 0; i < ROWS; i++)
        atg_buf_printf(buf, "P%d,somebody,\"%d\"\n", i, i);
    assert_int_equal(atg_buf_take(buf, &in.bytes, NULL), ATG_OK);
    p = parsed((worker_parse_ask){.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in});
    assert_int_equal(worker_parse(pool, &ask, arena, &p, NULL), ATG_OK);
    assert_null(p.json.p);
    assert_true(p.size == got && got > (uint64_t)ROWS * 30);
    ask.to = NULL;
    ask.out_max = 100000;
    (void)refused(ask, ATG_ELIMIT, "too long");
}

/* ---- bundles ---- */

typedef struct written {
    char *p;
    size_t n, at[8]; /* where parts begin */
    uint32_t parts;
} written;

static int keep(void *user, uint32_t number, bool last, atg_str part, atg_err *err) {
    written *w = user;

    (void)last;
    (void)err;
    w->at[number] = w->n;
    memcpy(w->p + w->n, part.p, part.n);
    w->n += part.n;
    w->parts++;
    return ATG_OK;
}

static written made_bundle(void) {
    enum { LONG = 2500000 };
    ATG_AUTO(bundle_writer) w = NULL;
    written out = {.p = ATG_GET(arena, char, LONG + 100000)};
    char *item = ATG_GET(arena, char, LONG);
    sign_pair sender;
    box_pair own;
    bundle_options o = {.sender = &sender,
                        .receivers = &own.pub,
                        .n_receivers = 1,
                        .at = 7,
                        .out = keep,
                        .user = &out};

    assert_true(out.p && item);
    sign_pair_of(&(key256){{1}}, &sender);
    box_pair_of(&(key256){{3}}, &own);
    assert_int_equal(uuid_new(&o.bundle, NULL), ATG_OK);
    assert_int_equal(bundle_writer_new(&o, &w, NULL), ATG_OK);
    assert_int_equal(bundle_put(w, 1, (atg_str){item, LONG}, NULL), ATG_OK);
    assert_int_equal(bundle_finish(w, NULL), ATG_OK);
    return out;
}

static json_t *checked(atg_str bytes) {
    worker_input in = input("x.atgb", bytes);

    return json_of(parsed((worker_parse_ask){.kind = WORKER_PARSE_BUNDLE, .n = 1, .in = &in}).json);
}

static int read_bytes(void *user, uint64_t at, void *ret, size_t n, atg_err *err) {
    const atg_str *bytes = user;

    (void)err;
    memcpy(ret, bytes->p + at, n);
    return ATG_OK;
}

/* Through a pipe it is told the same as of a file. */
static void expect_piped(atg_str bytes, const json_t *same) {
    worker_source from = {bytes.n, read_bytes, &bytes};
    worker_input in = {.from = &from, .name = ATG_STR("x.atgb")};
    json_t *v =
        json_of(parsed((worker_parse_ask){.kind = WORKER_PARSE_BUNDLE, .n = 1, .in = &in}).json);

    assert_true(json_equal(v, same));
    json_decref(v);
}

static void expect_parts(atg_str bytes, size_t parts, size_t missing, size_t damaged) {
    json_t *v = checked(bytes);

    expect_piped(bytes, v);
    assert_int_equal(json_integer_value(json_object_get(v, "parts")), parts);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "missing"), "count")),
                     missing);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "damaged"), "count")),
                     damaged);
    json_decref(v);
}

static int fail_soon(void *user, uint64_t at, void *ret, size_t n, atg_err *err) {
    if (at > 100000)
        return atg_fail(err, ATG_EDENIED, "The source is damaged");
    return read_bytes(user, at, ret, n, err);
}

static void what_is_read_from_a_pipe_is_a_bundle_from_its_beginning(void **state) {
    written w = made_bundle();
    atg_str bytes = {w.p + w.at[1], w.n - w.at[1]}, all = {w.p, w.n};
    worker_source from = {bytes.n, read_bytes, &bytes}, odd = {all.n, fail_soon, &all};
    worker_input in = {.from = &from, .name = ATG_STR("x.csv")};

    (void)state;
    (void)refused((worker_parse_ask){.kind = WORKER_PARSE_BUNDLE, .n = 1, .in = &in}, ATG_EPARSE,
                  "beginning");
    (void)refused((worker_parse_ask){.kind = WORKER_PARSE_TABLE, .n = 1, .in = &in}, ATG_EINVAL,
                  "pipe");
    in.from = &odd;
    (void)refused((worker_parse_ask){.kind = WORKER_PARSE_BUNDLE, .n = 1, .in = &in}, ATG_EDENIED,
                  "source");
    expect_parts(all, 4, 0, 0);
}

static void a_bundle_is_told_whole_damaged_or_cut_off(void **state) {
    written w = made_bundle();
    worker_input in = input("x.atgb", (atg_str){w.p, w.n});
    char id[2 * KEY_ID + 1];
    box_pair own;
    json_t *v = checked(in.bytes);

    (void)state;
    assert_int_equal(w.parts, 4);
    box_pair_of(&(key256){{3}}, &own);
    key_id k = box_key_id(&own.pub);
    bytes_hex(k.bytes, KEY_ID, id);
    assert_string_equal(json_string_value(json_array_get(json_object_get(v, "receivers"), 0)), id);
    assert_string_equal(text_of(v, "at"), "1970-01-01T00:00:00.000007Z");
    assert_true(json_is_true(json_object_get(v, "ended")));
    json_decref(v);
    expect_parts(in.bytes, 4, 0, 0);
    expect_parts((atg_str){w.p, w.n - 1}, 3, 0, 0);
    w.p[w.at[2] + 1000] ^= 1;
    expect_parts(in.bytes, 4, 0, 1);
    w.p[w.at[1]] ^= 1; /* it begins with no part: what follows cannot be found */
    expect_parts(in.bytes, 1, 0, 0);
    w.p[0] ^= 1;
    (void)refused((worker_parse_ask){.kind = WORKER_PARSE_BUNDLE, .n = 1, .in = &in}, ATG_EPARSE,
                  "");
    in.bytes.p += w.at[3];
    in.bytes.n -= w.at[3];
    (void)refused((worker_parse_ask){.kind = WORKER_PARSE_BUNDLE, .n = 1, .in = &in}, ATG_EPARSE,
                  "beginning is missing");
}

static void whatever_is_in_a_file_the_worker_answers(void **state) {
    enum { CHANGES = 40 };
    static const struct {
        const char *target, *name;
        worker_parse_kind kind;
    } seeds[] = {
        {"familias", "ferry.fam", WORKER_PARSE_OPERATION},
        {"operation", "every-member.json", WORKER_PARSE_OPERATION},
        {"cmf", "remains.xml", WORKER_PARSE_PROFILES},
        {"table", "long.tsv", WORKER_PARSE_PROFILES},
        {"table", "wide.csv", WORKER_PARSE_TABLE},
        {"bundle", "part-0", WORKER_PARSE_BUNDLE},
    };
    atg_rng rng = atg_rng_seed(5);
    worker_health h;

    (void)state;
    for (size_t s = 0; s < sizeof(seeds) / sizeof(*seeds); s++)
        for (int i = 0; i < CHANGES; i++) {
            atg_str bytes = atg_arena_str(arena, seed_of(arena, seeds[s].target, seeds[s].name));
            worker_input in = input(seeds[s].name, bytes);
            worker_parse_ask ask = {.kind = seeds[s].kind, .n = 1, .in = &in};
            worker_parsed p;
            atg_err err = {0};
            unsigned char *at;
            int rc;

            assert_non_null(bytes.p);
            memcpy(&at, &bytes.p, sizeof(at));
            for (uint64_t k = 1 + atg_rng_below(&rng, 4); k; k--)
                at[atg_rng_below(&rng, bytes.n)] = (unsigned char)atg_rng_below(&rng, 256);
            rc = worker_parse(pool, &ask, arena, &p, &err);
            if (rc && rc != ATG_EPARSE && rc != ATG_EINVAL && rc != ATG_ELIMIT)
                fail_msg("%s: %d %s", seeds[s].name, rc, err.msg);
        }
    worker_pool_health(pool, &h);
    assert_int_equal(h.ended + h.late, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_read_as_in_this_process),
        cmocka_unit_test(tables_and_frequencies_become_an_operation),
        cmocka_unit_test(what_is_wrong_is_told_with_file_line_and_column),
        cmocka_unit_test(an_entity_of_xml_reaches_no_file),
        cmocka_unit_test(rows_of_genotypes_come_with_their_places),
        cmocka_unit_test(a_table_of_anything_keeps_texts_and_places),
        cmocka_unit_test(a_long_table_flows_through_a_sink),
        cmocka_unit_test(a_bundle_is_told_whole_damaged_or_cut_off),
        cmocka_unit_test(what_is_read_from_a_pipe_is_a_bundle_from_its_beginning),
        cmocka_unit_test(whatever_is_in_a_file_the_worker_answers),
    };

    return cmocka_run_group_tests_name("worker_parse", tests, set_up, tear_down);
}
