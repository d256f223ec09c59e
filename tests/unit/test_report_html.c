/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <libxml/parser.h>
#include <sodium.h>

#include "made_run.h"

enum { PAGE_MAX = 32 << 20 };

/* NOLINTNEXTLINE(misc-misleading-bidirectional): that it misleads is what is tested */
static const char hostile[] = "<script>alert(1)</script>\"'&]]>--><!--\x01\xff\xe2\x80\xae";

/* The page of a run; it belongs to the buffer. */
static atg_str page_of(const atg_identification *run, bool for_geneticist, atg_buf *buf) {
    atg_str s = {0};

    assert_int_equal(atg_report_html(run, for_geneticist, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    return s;
}

static atg_str svg_of(const atg_operation *op, uint32_t family, atg_buf *buf) {
    atg_str s = {0};

    assert_int_equal(atg_report_pedigree_svg(op, family, 600, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    return s;
}

static xmlDoc *parsed(atg_str s) {
    return xmlReadMemory(s.p, (int)s.n, "page", NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                             XML_PARSE_HUGE);
}

static void assert_well_formed(atg_str s) {
    xmlDoc *doc = parsed(s);

    assert_non_null(doc);
    xmlFreeDoc(doc);
}

/* Elements of this name below a node, in document order, without recursion. */
static uint32_t count_elements(const xmlNode *root, const char *name) {
    const xmlNode *at = root;
    uint32_t n = 0;

    while (at) {
        n += at->type == XML_ELEMENT_NODE && !strcmp((const char *)at->name, name);
        if (at->children && at->type == XML_ELEMENT_NODE) {
            at = at->children;
            continue;
        }
        while (at && at != root && !at->next)
            at = at->parent;
        at = !at || at == root ? NULL : at->next;
    }
    return n;
}

static uint32_t times(atg_str s, const char *what) {
    uint32_t n = 0;
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= s.n; i++)
        n += memcmp(s.p + i, what, len) == 0;
    return n;
}

static void a_page_is_well_formed_and_has_its_sections(void **state) {
    static const char *const sections[] = {"summary",   "bodies",  "missing", "needs",
                                           "symmetric", "related", "details", "lonely",
                                           "joint",     "matrix",  "legend"};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));

    atg_str s = page_of(&run, false, buf);
    xmlDoc *doc = parsed(s);

    assert_non_null(doc);
    assert_int_equal(count_elements(xmlDocGetRootElement(doc), "h1"), 1);
    assert_int_equal(count_elements(xmlDocGetRootElement(doc), "style"), 1);
    assert_true(count_elements(xmlDocGetRootElement(doc), "svg") > 20);
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        char id[64];

        snprintf(id, sizeof(id), "<section id=\"%s\"", sections[i]);
        assert_int_equal(times(s, id), 1);
    }
    xmlFreeDoc(doc);
}

static void every_link_of_a_page_leads_somewhere(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_identification run;
    uint32_t n = 0;

    (void)state;
    assert_true(made_run(arena, &run));

    atg_str s = page_of(&run, true, buf), rest = s;

    while (rest.n) {
        const char *at = memmem(rest.p, rest.n, "href=\"#", 7);
        char id[64];

        if (!at)
            break;
        rest.n -= (size_t)(at + 7 - rest.p);
        rest.p = at + 7;
        snprintf(id, sizeof(id), "id=\"%.*s\"", (int)strcspn(rest.p, "\""), rest.p);
        assert_int_equal(times(s, id), 1);
        n++;
    }
    assert_true(n > 15);
}

static void nothing_is_loaded_run_or_styled_from_elsewhere(void **state) {
    static const char *const never[] = {"<script", "javascript:", " style=", " onload", "url(",
                                        "@import", "<link",       "<img",    "<iframe", "src="};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));

    atg_str s = page_of(&run, true, buf);

    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        assert_int_equal(times(s, never[i]), 0);
    assert_int_equal(times(s, "http"), times(s, "http://www.w3.org/") + times(s, "http-equiv"));
}

static void the_policy_of_a_page_names_its_own_style(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_identification run;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char base64[64];

    (void)state;
    assert_true(made_run(arena, &run));

    atg_str s = page_of(&run, false, buf);
    const char *from = strstr(s.p, "<style>"), *to = strstr(s.p, "</style>");

    assert_non_null(from);
    assert_non_null(to);
    from += 7;
    crypto_hash_sha256(hash, (const unsigned char *)from, (unsigned long long)(to - from));
    sodium_bin2base64(base64, sizeof(base64), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
    assert_int_equal(times(s, base64), 1);
    assert_int_equal(times(s, "default-src 'none'"), 1);
}

static void hostile_names_come_out_escaped(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(4 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_identification run;

    (void)state;
    made_suffix = hostile;
    assert_true(made_run(arena, &run));
    made_suffix = "";

    atg_str s = page_of(&run, true, buf);

    assert_well_formed(s);
    assert_int_equal(times(s, "<script"), 0);
    assert_int_equal(times(s, "<!--"), 0);
    assert_true(times(s, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;]]&gt;") > 50);
    assert_int_equal(times(s, "\x01"), 0);
    /* NOLINTNEXTLINE(misc-misleading-bidirectional) */
    assert_int_equal(times(s, "\xe2\x80\xae"), 0);
    for (uint32_t f = 0; f < run.op->n_families; f++) {
        ATG_AUTO(atg_buf) svg = atg_buf_new(PAGE_MAX);

        s = svg_of(run.op, f, svg);
        assert_well_formed(s);
        assert_int_equal(times(s, "<script"), 0);
    }
}

static void any_bytes_in_names_leave_a_page_well_formed(void **state) {
    atg_rng rng = atg_rng_seed(11);

    (void)state;
    for (int round = 0; round < 60; round++) {
        static const char spice[] = "ab\x01\x02\x80\xbf\xe2\x82\xac\xfe\xff\n\t<>&\"'`=/"
                                    "\\]-!?;#%{}\x7f\x1b\xc3\xa9\xf0\x9f\xed\xa0\xbe\xef";
        ATG_AUTO(atg_arena) arena = atg_arena_new(4 << 20);
        ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
        atg_identification run;
        char text[24];

        for (size_t i = 0; i + 1 < sizeof(text); i++)
            text[i] = spice[atg_rng_below(&rng, sizeof(spice) - 1)];
        text[sizeof(text) - 1] = '\0';
        made_suffix = text;
        assert_true(made_run(arena, &run));
        made_suffix = "";
        assert_well_formed(page_of(&run, round % 2, buf));
    }
}

static void findings_about_families_are_the_geneticists_only(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) plain = atg_buf_new(PAGE_MAX);
    ATG_AUTO(atg_buf) private = atg_buf_new(PAGE_MAX);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));

    atg_str s = page_of(&run, false, plain);

    assert_int_equal(times(s, "PRIVATE-FINDING"), 0);
    assert_int_equal(times(s, "does not fit"), 0);
    assert_int_equal(times(s, "Geneticist's copy"), 0);
    assert_true(times(s, "Another reference is needed.") > 0);
    s = page_of(&run, true, private);
    assert_int_equal(times(s, "PRIVATE-FINDING"), 1);
    assert_int_equal(times(s, "Geneticist's copy"), 1);
}

static void profiles_of_a_family_that_does_not_fit_are_withheld(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) plain = atg_buf_new(PAGE_MAX);
    ATG_AUTO(atg_buf) private = atg_buf_new(PAGE_MAX);
    atg_identification run;
    atg_pair_result pair;

    (void)state;
    assert_true(made_run(arena, &run));
    if (!run.pairs) {
        fail();
        return;
    }
    pair = run.pairs[0];
    pair.missing = 5; /* of the family that does not fit */
    pair.conclusion = ATG_INSUFFICIENT;
    run.n_pairs = 1;
    run.pairs = &pair;

    atg_str s = page_of(&run, false, plain);

    assert_int_equal(times(s, "<span class=\"rel\">mother</span>"), 0);
    assert_int_equal(times(s, "stand in the geneticist's copy"), 1);
    s = page_of(&run, true, private);
    assert_int_equal(times(s, "<span class=\"rel\">mother</span>"), 1);
}

static void an_empty_operation_has_a_page_too(void **state) {
    static const atg_operation op = {0};
    const atg_identification run = {.op = &op, .merged = &op};
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_str s = page_of(&run, true, buf);

    (void)state;
    assert_well_formed(s);
    assert_int_equal(times(s, "Nobody is on the list of missing persons."), 2);
}

/* Many bodies against one missing person: every second one decided. */
static bool many_bodies(atg_arena *arena, uint32_t n, atg_identification *run) {
    atg_body *bodies = ATG_GET(arena, atg_body, n);
    int32_t *body_of = ATG_GET(arena, int32_t, n);
    atg_sample *samples = ATG_GET(arena, atg_sample, n);
    atg_pair_result *pairs = ATG_GET(arena, atg_pair_result, n);
    atg_conclusion *words = ATG_GET(arena, atg_conclusion, n);
    atg_operation *merged = ATG_GET(arena, atg_operation, 1);

    if (!run->pairs || !run->bodies || !bodies || !body_of || !samples || !pairs || !words ||
        !merged)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        bodies[i] = run->bodies[0];
        bodies[i].merged.id = atg_arena_printf(arena, "PM-%04u", i);
        samples[i] = bodies[i].merged;
        body_of[i] = (int32_t)i;
        words[i] = i % 2 ? ATG_POSSIBLE : ATG_PROBABLE;
        pairs[i] = run->pairs[0];
        pairs[i].body = i;
        pairs[i].conclusion = words[i];
    }
    *merged = *run->op;
    merged->n_samples = n;
    merged->samples = samples;
    run->merged = merged;
    run->n_bodies = n;
    run->bodies = bodies;
    run->body_of_sample = body_of;
    run->n_pairs = n;
    run->pairs = pairs;
    run->body_nobody = NULL;
    run->body_conclusion = words;
    run->assign = (atg_assign_result){0};
    run->n_related = 0;
    run->n_next = 0;
    return true;
}

static void a_large_operation_details_the_undecided_first_and_says_so(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(64 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));
    assert_true(many_bodies(arena, 3000, &run));

    atg_str s = page_of(&run, false, buf);

    assert_int_equal(times(s, "<article class=\"file\""), 250);
    assert_int_equal(times(s, "<article class=\"file\" id=\"b0\""), 0);
    assert_int_equal(times(s, "<article class=\"file\" id=\"b1\""), 1);
    assert_int_equal(times(s, "This page details 250 of them"), 1);
    assert_int_equal(times(s, "This page shows 2000 of 3000 bodies"), 1);
    assert_true(s.n < 12 << 20);
}

static void unknown_and_infinite_numbers_leave_the_bars_whole(void **state) {
    static const double odd[] = {(double)NAN, -INFINITY, INFINITY, 0, 1e300, -1e300};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));
    if (!run.pairs) {
        fail();
        return;
    }
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
        atg_pair_result pair = run.pairs[0];
        atg_identification changed = run;

        pair.log10_lr = pair.log10_lr_used = pair.posterior = pair.std_error = odd[i];
        pair.log10_glr = odd[i];
        changed.n_pairs = 1;
        changed.pairs = &pair;
        changed.seconds = odd[i];

        atg_str s = page_of(&changed, true, buf);

        assert_well_formed(s);
        assert_int_equal(times(s, "=\"nan\"") + times(s, "=\"inf\"") + times(s, "-nan"), 0);
    }
}

static void a_failing_allocation_of_a_page_is_reported(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;
    int rc = ATG_ENOMEM;

    (void)state;
    assert_true(made_run(arena, &run));
    for (long n = 0; rc != ATG_OK; n++) {
        size_t before = mem_live();
        atg_buf *buf;

        mem_fail_after(n);
        buf = atg_buf_new(PAGE_MAX);
        rc = buf ? atg_report_html(&run, true, buf, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        atg_buf_free(buf);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        assert_int_equal(mem_live(), before);
        assert_true(n < 10000);
    }
}

static void a_page_larger_than_its_buffer_is_refused(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(10000);
    atg_identification run;
    atg_err err = {0};

    (void)state;
    assert_true(made_run(arena, &run));
    assert_int_equal(atg_report_html(&run, false, buf, &err), ATG_ELIMIT);
    assert_true(err.msg[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_well_formed_and_has_its_sections),
        cmocka_unit_test(every_link_of_a_page_leads_somewhere),
        cmocka_unit_test(nothing_is_loaded_run_or_styled_from_elsewhere),
        cmocka_unit_test(the_policy_of_a_page_names_its_own_style),
        cmocka_unit_test(hostile_names_come_out_escaped),
        cmocka_unit_test(any_bytes_in_names_leave_a_page_well_formed),
        cmocka_unit_test(findings_about_families_are_the_geneticists_only),
        cmocka_unit_test(profiles_of_a_family_that_does_not_fit_are_withheld),
        cmocka_unit_test(an_empty_operation_has_a_page_too),
        cmocka_unit_test(a_large_operation_details_the_undecided_first_and_says_so),
        cmocka_unit_test(unknown_and_infinite_numbers_leave_the_bars_whole),
        cmocka_unit_test(a_failing_allocation_of_a_page_is_reported),
        cmocka_unit_test(a_page_larger_than_its_buffer_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    xmlCleanupParser();
    return failed;
}
