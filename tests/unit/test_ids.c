/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers, instants, bytes as text, and files of secrets. */
#include "testing.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/instant.h"
#include "base/uuid.h"

static void hexadecimal_is_read_strictly(void **state) {
    static const char *const bad[] = {"", "0", "000", "0g", "0A", "00 1", "0x00", "-1"};
    unsigned char got[2] = {7, 7};
    char text[5];

    (void)state;
    assert_true(bytes_from_hex(ATG_STR("09af"), got, 2));
    assert_int_equal(got[0], 0x09);
    assert_int_equal(got[1], 0xaf);
    bytes_hex(got, 2, text);
    assert_string_equal(text, "09af");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(bytes_from_hex(atg_str_of(bad[i]), got, 1));
    assert_int_equal(got[0], 0x09);
}

static void big_endian_numbers_read_back(void **state) {
    unsigned char p[8];

    (void)state;
    bytes_put64(p, 0x0102030405060708U);
    assert_int_equal(p[0], 1);
    assert_int_equal(p[7], 8);
    assert_true(bytes_get64(p) == 0x0102030405060708U);
    bytes_put32(p, 0xfffefdfcU);
    assert_true(bytes_get32(p) == 0xfffefdfcU);
    bytes_wipe(p, sizeof(p));
    assert_true(bytes_get64(p) == 0);
    bytes_wipe(NULL, 0);
}

static void a_uuid_is_that_of_the_standard(void **state) {
    /* RFC 9562, appendix A.6 */
    static const unsigned char random[] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc,
                                           0x0c, 0x0c, 0x07, 0x39, 0x8f};
    uuid id = uuid_make(0x017f22e279b0, random), again;
    char text[UUID_TEXT + 1];

    (void)state;
    uuid_text(&id, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_true(uuid_read(atg_str_of(text), &again));
    assert_int_equal(uuid_cmp(&id, &again), 0);
    assert_true(uuid_ms(&id) == 0x017f22e279b0);
    assert_false(uuid_none(&id));
    assert_true(uuid_none(&(uuid){{0}}));
}

static void a_uuid_of_another_form_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017F22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
        "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "00000000-0000-0000-0000-000000000000",
    };
    uuid id = {{9}};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(uuid_read(atg_str_of(bad[i]), &id));
    assert_int_equal(id.bytes[0], 9);
}

static void uuids_rise_although_the_clock_stands_or_goes_back(void **state) {
    int64_t start = 1795495000000000;
    uuid last = {{0}};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uuid id;

        clock_set(i < 10000 ? start : start - 5000000);
        assert_int_equal(uuid_new(&id, NULL), ATG_OK);
        assert_true(uuid_valid(&id));
        assert_true(uuid_cmp(&id, &last) > 0);
        last = id;
    }
    /* the counting has not run far ahead: 2^42 steps of 2^31 make a millisecond */
    assert_true(uuid_ms(&last) <= (uint64_t)start / 1000 + 1);
    clock_set(-1);
}

static void *make_many(void *user) {
    uuid *ids = user;

    for (int i = 0; i < 2000; i++)
        if (uuid_new(&ids[i], NULL))
            return NULL;
    return ids;
}

static int by_uuid(const void *a, const void *b) {
    return uuid_cmp(a, b);
}

static void uuids_of_several_threads_differ(void **state) {
    static uuid ids[4][2000];
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, ids[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *done;

        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_non_null(done);
        for (int k = 1; k < 2000; k++)
            assert_true(uuid_cmp(&ids[i][k - 1], &ids[i][k]) < 0);
    }
    qsort(ids, 8000, sizeof(uuid), by_uuid);
    for (int k = 1; k < 8000; k++)
        assert_true(uuid_cmp(&ids[0][0] + k - 1, &ids[0][0] + k) < 0);
}

static void the_forward_clock_never_goes_back(void **state) {
    int64_t before;

    (void)state;
    clock_set(1000);
    assert_true(clock_now() == 1000 && clock_forward() == 1000);
    clock_set(-1);
    before = clock_forward();
    assert_true(before > 1700000000000000);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_forward();

        assert_true(now >= before);
        before = now;
    }
}

static void instants_are_written_in_utc(void **state) {
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {1795495000123456, "2026-11-24T04:36:40.123456Z"},
        {951782400000000, "2000-02-29T00:00:00.000000Z"},
        {4107542399000001, "2100-02-28T23:59:59.000001Z"},
        {INSTANT_MIN, "0001-01-01T00:00:00.000000Z"},
        {INSTANT_MAX, "9999-12-31T23:59:59.999999Z"},
    };
    char text[INSTANT_TEXT + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t us = 0;

        instant_text(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
        assert_true(instant_read(atg_str_of(text), &us));
        assert_true(us == cases[i].us);
    }
    instant_text(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    instant_text(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000000Z");
}

static void instants_of_another_form_are_refused(void **state) {
    static const char *const bad[] = {
        "",
        "2026-11-24T04:36:40Z",
        "2026-11-24T04:36:40.123456",
        "2026-11-24 04:36:40.123456Z",
        "2026-11-24T04:36:40.123456z",
        "2026-11-24T04:36:40.123456+",
        "2026-13-24T04:36:40.123456Z",
        "2026-00-24T04:36:40.123456Z",
        "2026-11-31T04:36:40.123456Z",
        "2026-11-00T04:36:40.123456Z",
        "2025-02-29T04:36:40.123456Z",
        "2100-02-29T04:36:40.123456Z",
        "2026-11-24T24:00:00.000000Z",
        "2026-11-24T04:60:00.000000Z",
        "2026-11-24T04:36:60.000000Z",
        "0000-11-24T04:36:40.123456Z",
        "+026-11-24T04:36:40.123456Z",
    };
    int64_t us = 5;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(instant_read(atg_str_of(bad[i]), &us));
    assert_true(us == 5);
}

static void days_agree_with_the_calendar_of_the_system(void **state) {
    (void)state;
    for (int64_t days = -200000; days < 400000; days += 37) {
        time_t t = (time_t)days * 86400;
        uint32_t month, day;
        int32_t year;
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        instant_civil(days, &year, &month, &day);
        assert_int_equal(year, tm.tm_year + 1900);
        assert_int_equal(month, tm.tm_mon + 1);
        assert_int_equal(day, tm.tm_mday);
        assert_true(instant_days(year, month, day) == days);
        assert_true(day <= instant_month_days(year, month));
    }
}

static void a_file_of_secrets_is_for_its_owner_alone(void **state) {
    static const struct {
        mode_t mode;
        bool lax;
        int want;
    } cases[] = {
        {0600, false, ATG_OK},      {0400, false, ATG_OK},      {0640, false, ATG_EDENIED},
        {0604, false, ATG_EDENIED}, {0620, false, ATG_EDENIED}, {0440, true, ATG_OK},
        {0460, true, ATG_EDENIED},  {0444, true, ATG_EDENIED},
    };
    char folder[] = "/tmp/antigone-ids-XXXXXX", path[64], link[64];
    unsigned char got[16];
    struct stat st;
    size_t n;
    atg_err err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/secret", folder);
    (void)snprintf(link, sizeof(link), "%s/link", folder);
    assert_int_equal(file_write_private(path, ATG_STR("0123456789"), &err), ATG_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(chmod(path, cases[i].mode), 0);
        n = sizeof(got);
        assert_int_equal(file_read_private(path, cases[i].lax, got, &n, &err), cases[i].want);
        assert_true(n == (cases[i].want ? sizeof(got) : 10));
    }
    assert_int_equal(chmod(path, 0600), 0);
    n = 9;
    assert_int_equal(file_read_private(path, false, got, &n, &err), ATG_ELIMIT);
    n = sizeof(got);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_read_private(link, false, got, &n, &err), ATG_EDENIED);
    assert_int_equal(file_read_private(folder, false, got, &n, &err), ATG_EDENIED);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(file_read_private(link, false, got, &n, &err), ATG_EIO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(file_write_private(path, ATG_STR("x"), &err), ATG_EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_is_read_strictly),
        cmocka_unit_test(big_endian_numbers_read_back),
        cmocka_unit_test(a_uuid_is_that_of_the_standard),
        cmocka_unit_test(a_uuid_of_another_form_is_refused),
        cmocka_unit_test(uuids_rise_although_the_clock_stands_or_goes_back),
        cmocka_unit_test(uuids_of_several_threads_differ),
        cmocka_unit_test(the_forward_clock_never_goes_back),
        cmocka_unit_test(instants_are_written_in_utc),
        cmocka_unit_test(instants_of_another_form_are_refused),
        cmocka_unit_test(days_agree_with_the_calendar_of_the_system),
        cmocka_unit_test(a_file_of_secrets_is_for_its_owner_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
