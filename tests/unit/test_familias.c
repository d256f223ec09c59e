/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include <math.h>
#include <stdio.h>

enum { ARENA = INPUT_ARENA };

static const atg_person *person(const atg_family *fam, const char *id) {
    int i = atg_pedigree_find(&fam->ped, atg_str_of(id));

    assert_true(i >= 0);
    return &fam->ped.persons[i];
}

static void the_database_is_read_with_models_theta_and_sizes(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    const atg_marker *m;

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "ferry.fam"), &op, notes, NULL),
        ATG_OK);
    assert_is(op.name, "Ferry Sunrise");
    assert_is(op.params.population, "Harbour 2020");
    assert_true(op.params.theta == 0.01);
    assert_int_equal(op.params.n_population, 400);
    assert_int_equal(op.n_markers, 3);
    m = &op.markers[0];
    assert_int_equal(m->female.model, ATG_MUT_EQUAL);
    assert_true(m->female.rate == 0.001);
    assert_int_equal(m->male.model, ATG_MUT_PROPORTIONAL);
    assert_true(m->male.rate == 0.002);
    assert_int_equal(m->tenths[2], 93);
    assert_int_equal(m->silent, -1);
    m = &op.markers[1];
    assert_int_equal(m->female.model, ATG_MUT_STEPWISE);
    assert_int_equal(m->female.transform, ATG_MUT_AS_IS);
    assert_true(m->female.rate2 == 1e-6);
    assert_int_equal(m->male.transform, ATG_MUT_PM);
    assert_true(m->male.range == 0.2);
    assert_int_equal(m->silent, 2);
    assert_true(fabs(m->freqs[0] - 0.4 * 0.98) < 1e-15);
    assert_true(m->freqs[2] == 0.02);
    m = &op.markers[2];
    assert_int_equal(m->female.model, ATG_MUT_NONE);
    assert_int_equal(m->n, 3);
    assert_is(m->labels[2], "Rest allele");
    assert_true(fabs(m->freqs[2] - 0.1) < 1e-15);
    assert_true(noted(notes, "sum to 0.9"));
    assert_true(noted(notes, "different sizes"));
    assert_true(noted(notes, "Dropout = 0.1"));
}

static void remains_are_samples_and_families_have_their_missing(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    const atg_person *p;

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "ferry.fam"), &op, notes, NULL),
        ATG_OK);
    assert_int_equal(op.n_samples, 2);
    assert_is(op.samples[0].id, "PM-1");
    assert_int_equal(op.samples[0].sex, ATG_SEX_MALE);
    assert_int_equal(op.samples[0].genos[0].a, 0);
    assert_int_equal(op.samples[0].genos[0].b, 2);
    assert_int_equal(op.samples[0].genos[2].b, ATG_ALLELE_UNREAD);
    assert_int_equal(op.samples[1].sex, ATG_SEX_UNKNOWN);
    assert_false(atg_geno_typed(op.samples[1].genos[0]));
    assert_true(noted(notes, "PM-2 has no DNA data"));
    assert_int_equal(op.n_families, 2);
    assert_int_equal(op.n_missing, 3);
    assert_is(op.missing[0].id, "Missing male 2");
    assert_is(op.missing[1].id, "Berg/Missing person");
    assert_is(op.missing[2].id, "Lund/Missing person");
    assert_int_equal(atg_pedigree_find(&op.families[0].ped, ATG_STR("Missing female 1")), -1);
    p = person(&op.families[0], "Missing person");
    assert_int_equal(p->sex, ATG_SEX_FEMALE);
    assert_is(op.families[0].ped.persons[p->father].id, "Ole");
    assert_true(op.families[0].ped.persons[p->mother].implicit);
    assert_is(op.families[0].ped.persons[p->mother].id, "Mother of Missing person");
    assert_true(person(&op.families[0], "Anna")->mother != p->mother);
    p = person(&op.families[1], "Missing person");
    assert_int_equal(p->sex, ATG_SEX_UNKNOWN);
    assert_is(op.families[1].ped.persons[person(&op.families[1], "Kari")->father].id,
              "Missing person");
    assert_int_equal(op.families[1].n_missing, 1);
    assert_int_equal(op.families[1].missing[0], 2);
}

static void a_spouse_tells_the_sex_of_a_missing_person(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    atg_str text = seed_of(arena, "familias", "ferry.fam");

    (void)state;
    /* Berg: Anna and "Missing female 1" have a child, so the record is wrong, and the sex of
     * Lund's parent, which nothing tells, stays unknown. */
    text = with(
        arena, text, "nRelations= 3\nParent= Ole\nChild= Anna\nParent= Ole\nChild= Missing person",
        "nRelations= 3\nParent= Ole\nChild= Anna\nParent= Missing person\nChild= Missing male 2");
    assert_int_equal(atg_familias_read(arena, text, &op, notes, NULL), ATG_OK);
    assert_int_equal(person(&op.families[0], "Missing person")->sex, ATG_SEX_MALE);
    assert_int_equal(person(&op.families[0], "Missing male 2")->sex, ATG_SEX_UNKNOWN);
    assert_true(noted(notes, "recorded as female, but the pedigree has a father there"));
    assert_true(noted(notes, "taken as unknown"));
}

static void a_name_of_ones_own_stays_the_name_of_the_missing(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation op;
    atg_str text = with(arena, seed_of(arena, "familias", "ferry.fam"), "Name= Missing female 1",
                        "Name= Missing AM-0007");

    (void)state;
    assert_int_equal(atg_familias_read(arena, text, &op, NULL, NULL), ATG_OK);
    assert_is(op.missing[1].id, "AM-0007");
    assert_is(op.missing[2].id, "Missing person");
}

static void a_file_without_the_dvi_module_gives_its_pedigrees(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    const atg_person *p;

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "paternity.fam"), &op, notes, NULL),
        ATG_OK);
    assert_true(noted(notes, "no section of the DVI module"));
    assert_int_equal(op.n_samples, 0);
    assert_int_equal(op.n_missing, 0);
    assert_int_equal(op.n_families, 2);
    assert_true(op.params.min_freq == 0.001);
    p = person(&op.families[0], "Child");
    assert_is(op.families[0].ped.persons[p->father].id, "Man");
    assert_is(op.families[0].ped.persons[p->mother].id, "Woman");
    assert_int_equal(p->genos[0].a, 1);
    assert_true(person(&op.families[0], "Man")->dropout == 0.05);
    p = person(&op.families[1], "Child");
    assert_is(op.families[1].ped.persons[p->father].id, "Unnamed man 2");
    assert_is(op.families[1].ped.persons[person(&op.families[1], "Man")->mother].id,
              "Unnamed woman 1");
}

static void line_ends_and_encodings_do_not_matter(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    atg_str text =
        with(arena, seed_of(arena, "familias", "ferry.fam"), "Name= Berg", "Name= L\xf8v\xe5s");
    ATG_AUTO(atg_buf) crlf = atg_buf_new(ARENA);

    (void)state;
    for (size_t i = 0; i < text.n; i++)
        atg_buf_add(crlf, text.p[i] == '\n' ? ATG_STR("\r\n") : (atg_str){text.p + i, 1});
    assert_int_equal(atg_buf_take(crlf, &text, NULL), ATG_OK);
    assert_int_equal(atg_familias_read(arena, text, &op, notes, NULL), ATG_OK);
    assert_is(op.families[0].id, "L\xc3\xb8v\xc3\xa5s");
    assert_true(noted(notes, "Windows-1252"));
}

static void an_allele_that_the_table_lacks_gets_the_minimum_frequency(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_notes *notes = atg_notes_new(arena);
    atg_operation op;
    atg_str text =
        with(arena, seed_of(arena, "familias", "ferry.fam"), "Allele1= 6", "Allele1= 8,3");

    (void)state;
    assert_int_equal(atg_familias_read(arena, text, &op, notes, NULL), ATG_OK);
    assert_int_equal(op.markers[0].n, 4);
    assert_is(op.markers[0].labels[3], "8.3");
    assert_true(fabs(op.markers[0].freqs[3] - 5.0 / 800) < 1e-15);
    assert_true(noted(notes, "8.3"));
}

static const struct {
    const char *file, *from, *to, *part;
    uint32_t line;
} broken[] = {
    {"ferry.fam", "\"Output from", "\"Input from", "not a Familias file", 1},
    {"ferry.fam", "\"Known relations\"", "\"Unknown relations\"", "Known relations", 6},
    {"ferry.fam", "#FALSE# (#Data", "#TRUE# (#Data", "computed results", 11},
    {"ferry.fam", "#Databases: 1", "#Databases: 2", "2 databases", 11},
    {"ferry.fam", "Fst: 0.01", "Fst: 1.5", "Theta", 11},
    {"ferry.fam", "\n3\n#TRUE#", "\nthree\n#TRUE#", "a whole number", 12},
    {"ferry.fam", "\n3\n#TRUE#", "\n257\n#TRUE#", "at most 256", 12},
    {"ferry.fam", "\n0.001\n0.002\n0\n1", "\n1.5\n0.002\n0\n1", "mutation rate", 16},
    {"ferry.fam", "\n0.001\n0.002\n0\n1", "\n0.001\nx\n0\n1", "a number", 17},
    {"ferry.fam", "\n0.002\n0\n1", "\n0.002\n5\n1", "female mutation model", 18},
    {"ferry.fam", "\n#FALSE#\n0\n3\t", "\nno\n0\n3\t", "#TRUE# or #FALSE#", 25},
    {"ferry.fam", "DatabaseSize = 400", "DatabaseSize = many", "DatabaseSize", 27},
    {"ferry.fam", "\"7\"\n", "\"6\"\n", "there twice", 30},
    {"ferry.fam", "9.3\"\n0.5", "9.3\"\n0.9", "correct the table", 15},
    {"ferry.fam", "9.3\"\n0.5", "9.3\"\n-0.5", "from 0 to 1", 33},
    {"ferry.fam", "\"FGA\"", "\"TH-01\"", "there twice", 34},
    {"ferry.fam", "0.1\n0.2\n1e-006", "0\n0.2\n1e-006", "range of FGA", 34},
    {"ferry.fam", "nPersons= 2", "nPersons= 3", "Expected the heading", 91},
    {"ferry.fam", "nPersons= 2", "nPersons= 999999", "rest of the file", 71},
    {"ferry.fam", "Gender= Male", "Gender= Mal", "Male, Female or Unknown", 74},
    {"ferry.fam", "SystemName= TH01", "SystemName= D3S1358", "not in the file's database", 77},
    {"ferry.fam", "SystemName= FGA\nAllele1= 20\nAllele2= 20",
     "SystemName= TH01\nAllele1= 7\nAllele2= 7", "two different genotypes", 80},
    {"ferry.fam", "Allele2= 9.3", "Allele3= 9.3", "Expected \"Allele2=\"", 79},
    {"ferry.fam", "Allele2= 9.3", "Allele2= silent", "not in the file's table", 79},
    {"ferry.fam", "Name= PM-2", "Name= PM-1", "Two unidentified", 87},
    {"ferry.fam", "Name= PM-2", "Name=", "found nothing", 87},
    {"ferry.fam", "Name= Lund", "Name= Berg", "Two families", 141},
    {"ferry.fam", "Name= Ole", "Name= Anna", "Two persons", 120},
    {"ferry.fam", "Parent= Anna\n", "Parent= Ann\n", "not among the persons", 138},
    {"ferry.fam", "nRelations= 1\nParent= Ole", "nRelations= 1\nParent= Missing male 2",
     "pedigrees of family Berg differ", 129},
    {"ferry.fam", "Child= Missing male 2\n", "Child= Missing person\n", NULL, 0},
    {"ferry.fam", "Parent= Anna\nChild= Missing male 2", "Parent= Ole\nChild= Ole", "ancestors", 0},
    {"ferry.fam", "Name= Missing male 2\nGender= Male\n[[[[[[DNA data]]]]]]\nnSystems= 0",
     "Name= Missing male 2\nGender= Male\n[[[[[[DNA data]]]]]]\nnSystems= 1\nSystemName= "
     "TH01\nAllele1= 6\nAllele2= 6",
     NULL, 0},
    {"ferry.fam", "Name= Ole\nGender= Male", "Name= Ole\nGender= Female", NULL, 0},
    {"ferry.fam", "[Prior]", "Parent= Kari", "More follows", 159},
    {"paternity.fam", "\n1\n0\n1\n0\n\"Woman\"", "\n1\n0\n2\n0\n\"Woman\"", "lacks", 12},
    {"paternity.fam", "\n1\n0\n1\n0\n\"Woman\"", "\n1\n0\n1\n1\n\"Woman\"", "lacks", 12},
    {"paternity.fam", "\n0\n2\n1\n\"H2\"", "\n0-Direct\n2\n1\n\"H2\"", "direct match", 42},
    {"paternity.fam", "\n0\n2\n1\n\"H2\"", "\n9\n2\n1\n\"H2\"", "names person 10", 42},
    {"paternity.fam", "\n0\n2\n1\n\"H2\"", "\n1\n0\n1\n\"H2\"", NULL, 0},
};

static void broken_files_are_refused_at_their_place(void **state) {
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_operation op = {.n_markers = 77};
        atg_err err = {0};
        atg_str text =
            with(arena, seed_of(arena, "familias", broken[i].file), broken[i].from, broken[i].to);
        int rc = atg_familias_read(arena, text, &op, NULL, &err);

        if (!broken[i].part) {
            assert_int_equal(rc, ATG_OK);
            continue;
        }
        if (rc == ATG_OK || !strstr(err.msg, broken[i].part) || err.line != broken[i].line)
            print_error("%s -> %s: %d at line %u: %s\n", broken[i].from, broken[i].to, rc, err.line,
                        err.msg);
        bad += rc == ATG_OK || !strstr(err.msg, broken[i].part) || err.line != broken[i].line;
        assert_true(rc == ATG_OK || op.n_markers == 77);
    }
    assert_int_equal(bad, 0);
}

static void a_file_that_was_cut_off_is_never_read(void **state) {
    static const char *const files[] = {"ferry.fam", "paternity.fam"};
    static const char *const ends[] = {"[Prior]", ""};

    (void)state;
    for (int k = 0; k < 2; k++) {
        ATG_AUTO(atg_arena) keep = atg_arena_new(ARENA);
        atg_str text = seed_of(keep, "familias", files[k]);
        const char *end =
            ends[k][0] ? memmem(text.p, text.n, ends[k], strlen(ends[k])) : text.p + text.n;
        size_t whole = (size_t)(end - text.p);

        for (size_t n = 0; n < whole; n++) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
            atg_operation op;
            atg_err err;

            if (text.p[n] != '\n' || n + 4 >= whole)
                continue;
            assert_int_not_equal(atg_familias_read(arena, (atg_str){text.p, n}, &op, NULL, &err),
                                 ATG_OK);
            if (err.line == 0)
                fail_msg("%s cut at byte %zu: %s", files[k], n, err.msg);
        }
    }
}

static const char own_data[] =
    "Name= Missing male 2\nGender= Male\n[[[[[[DNA data]]]]]]\nnSystems= 1\nSystemName= "
    "TH01\nAllele1= 6\nAllele2= 6";

static void dna_data_of_a_missing_person_are_an_own_sample(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_operation op, twice;
    atg_str text;
    atg_err err = {0};

    (void)state;
    text = with(arena, seed_of(arena, "familias", "ferry.fam"),
                "Name= Missing male 2\nGender= Male\n[[[[[[DNA data]]]]]]\nnSystems= 0", own_data);
    if (atg_familias_read(arena, text, &op, NULL, &err))
        fail_msg("%u: %s", err.line, err.msg);
    assert_int_equal(atg_familias_write(&op, NULL, buf, &err), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    if (atg_familias_read(arena, text, &twice, NULL, &err))
        fail_msg("%u: %s", err.line, err.msg);
    for (int k = 0; k < 2; k++) {
        const atg_operation *o = k ? &twice : &op;
        uint32_t n = 0;

        for (uint32_t i = 0; i < o->n_missing; i++) {
            const atg_person *p =
                &o->families[o->missing[i].family].ped.persons[o->missing[i].person];

            assert_null(p->genos);
            n += p->n_own;
            if (p->n_own)
                assert_int_equal(p->own[0].genos[0].a, p->own[0].genos[0].b);
        }
        assert_int_equal(n, 1);
    }
}

static void assert_same_mutation(const atg_mutation *x, const atg_mutation *y) {
    assert_int_equal(x->model, y->model);
    assert_int_equal(x->transform, y->transform);
    assert_true(x->rate == y->rate);
    assert_true(x->rate2 == y->rate2);
    assert_true(x->range == y->range);
}

static void assert_same_genos(const atg_operation *op, const atg_geno *x, const atg_geno *y) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        bool whole = x && x[m].a >= 0 && x[m].b >= 0;

        assert_int_equal(y ? y[m].a : -1, whole ? x[m].a : -1);
        assert_int_equal(y ? y[m].b : -1, whole ? x[m].b : -1);
    }
}

/* Who it is in either operation: a missing person may be called otherwise in the pedigree. */
static atg_str key(const atg_operation *op, uint32_t f, int32_t i) {
    if (i < 0)
        return ATG_STR("nobody");
    for (uint32_t k = 0; k < op->n_missing; k++)
        if (op->missing[k].family == f && op->missing[k].person == (uint32_t)i)
            return op->missing[k].id;
    return op->families[f].ped.persons[i].implicit ? ATG_STR("somebody")
                                                   : op->families[f].ped.persons[i].id;
}

static void assert_same_families(const atg_operation *x, const atg_operation *y) {
    assert_int_equal(x->n_families, y->n_families);
    assert_int_equal(x->n_missing, y->n_missing);
    for (uint32_t f = 0; f < x->n_families; f++) {
        const atg_pedigree *p = &x->families[f].ped, *q = &y->families[f].ped;
        uint32_t found = 0;

        assert_int_equal(p->n, q->n);
        for (uint32_t i = 0; i < p->n; i++)
            for (uint32_t k = 0; k < q->n && !p->persons[i].implicit; k++) {
                if (!atg_str_eq(key(x, f, (int32_t)i), key(y, f, (int32_t)k)))
                    continue;
                found++;
                assert_int_equal(p->persons[i].sex, q->persons[k].sex);
                assert_true(
                    atg_str_eq(key(x, f, p->persons[i].father), key(y, f, q->persons[k].father)));
                assert_true(
                    atg_str_eq(key(x, f, p->persons[i].mother), key(y, f, q->persons[k].mother)));
            }
        for (uint32_t i = 0; i < p->n; i++)
            found += p->persons[i].implicit;
        assert_int_equal(found, p->n);
    }
}

/* Write, and read again. */
static void again(atg_arena *arena, const atg_operation *op, const char *recipient,
                  atg_operation *ret) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_str text = {0};
    atg_err err = {0};

    if (atg_familias_write(op, recipient, buf, &err) || atg_buf_take(buf, &text, &err))
        fail_msg("writing: %s", err.msg);
    text = atg_arena_str(arena, text);
    if (atg_familias_read(arena, text, ret, NULL, &err))
        fail_msg("reading at line %u: %s", err.line, err.msg);
}

static void what_is_written_reads_as_the_same_operation(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation x, y, z;

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "ferry.fam"), &x, NULL, NULL), ATG_OK);
    again(arena, &x, NULL, &y);
    assert_is(y.name, "Ferry Sunrise");
    assert_is(y.params.population, "Harbour 2020");
    assert_true(y.params.theta == x.params.theta);
    assert_int_equal(y.n_markers, x.n_markers);
    for (uint32_t m = 0; m < x.n_markers; m++) {
        const atg_marker *p = &x.markers[m], *q = &y.markers[m];

        assert_true(atg_str_eq(p->name, q->name));
        assert_int_equal(p->n, q->n);
        assert_int_equal(p->silent, q->silent);
        for (uint16_t i = 0; i < p->n; i++) {
            assert_true(atg_str_eq(p->labels[i], q->labels[i]));
            assert_true(p->freqs[i] == q->freqs[i]);
        }
        assert_same_mutation(&p->female, &q->female);
        assert_same_mutation(&p->male, &q->male);
    }
    assert_int_equal(y.n_samples, x.n_samples);
    for (uint32_t i = 0; i < x.n_samples; i++) {
        assert_true(atg_str_eq(x.samples[i].id, y.samples[i].id));
        assert_int_equal(x.samples[i].sex, y.samples[i].sex);
        assert_same_genos(&x, x.samples[i].genos, y.samples[i].genos);
    }
    assert_same_families(&x, &y);
    assert_same_genos(&x, person(&x.families[0], "Anna")->genos,
                      person(&y.families[0], "Anna")->genos);
    again(arena, &y, NULL, &z);
    assert_same_families(&y, &z);
}

static void a_relative_leaves_only_to_the_recipient_that_was_named(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation x, y;
    atg_family families[2];
    atg_consent consent = {.recipient = ATG_STR("Institute B")};

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "ferry.fam"), &x, NULL, NULL), ATG_OK);
    memcpy(families, x.families, sizeof(families));
    consent.person = (uint32_t)atg_pedigree_find(&families[0].ped, ATG_STR("Anna"));
    families[0].n_consents = 1;
    families[0].consents = &consent;
    x.families = families;
    again(arena, &x, "Institute B", &y);
    assert_non_null(person(&y.families[0], "Anna")->genos);
    assert_null(person(&y.families[1], "Kari")->genos);
    again(arena, &x, "Institute C", &y);
    assert_null(person(&y.families[0], "Anna")->genos);
    assert_null(person(&y.families[1], "Kari")->genos);
    assert_true(atg_geno_typed(y.samples[0].genos[0]));
}

static void what_familias_cannot_hold_is_refused_or_left_out(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation x, y;
    atg_marker markers[3];
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_err err;

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "ferry.fam"), &x, NULL, NULL), ATG_OK);
    memcpy(markers, x.markers, sizeof(markers));
    x.markers = markers;
    markers[0].chrom = ATG_CHROM_X;
    again(arena, &x, NULL, &y);
    assert_int_equal(y.n_markers, 2);
    assert_is(y.markers[0].name, "FGA");
    markers[1].male.model = ATG_MUT_DAWID;
    assert_int_equal(atg_familias_write(&x, NULL, buf, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "FGA"));
}

static void writing_reports_memory_that_is_short(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation op;
    int rc = ATG_ENOMEM;

    (void)state;
    assert_int_equal(
        atg_familias_read(arena, seed_of(arena, "familias", "ferry.fam"), &op, NULL, NULL), ATG_OK);
    for (long n = 0; rc == ATG_ENOMEM; n++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
        atg_str text;

        mem_fail_after(n);
        rc = atg_familias_write(&op, NULL, buf, NULL);
        mem_fail_after(-1);
        if (!rc)
            rc = atg_buf_take(buf, &text, NULL);
    }
    assert_int_equal(rc, ATG_OK);
}

static void every_failed_allocation_is_reported(void **state) {
    static const char *const files[] = {"ferry.fam", "paternity.fam"};

    (void)state;
    for (int k = 0; k < 2; k++) {
        ATG_AUTO(atg_arena) keep = atg_arena_new(ARENA);
        atg_str text = seed_of(keep, "familias", files[k]);
        size_t live = mem_live();
        int rc = ATG_ENOMEM;

        for (long n = 0; rc == ATG_ENOMEM; n++) {
            atg_operation op;
            atg_arena *arena;

            assert_true(n < 10000);
            mem_fail_after(n);
            arena = atg_arena_new(ARENA);
            rc = arena ? atg_familias_read(arena, text, &op, NULL, NULL) : ATG_ENOMEM;
            mem_fail_after(-1);
            atg_arena_free(arena);
            assert_int_equal(mem_live(), live);
        }
        assert_int_equal(rc, ATG_OK);
    }
}

static void memory_that_is_too_small_is_reported_at_every_size(void **state) {
    ATG_AUTO(atg_arena) keep = atg_arena_new(ARENA);
    atg_str text = seed_of(keep, "familias", "ferry.fam");
    int rc = ATG_ENOMEM;

    (void)state;
    for (size_t limit = 64; rc != ATG_OK; limit += 1000) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(limit);
        atg_operation op;

        assert_true(limit < ARENA);
        rc = atg_familias_read(arena, text, &op, NULL, NULL);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
}

static atg_operation published(atg_arena *arena, const char *all, const char *folder,
                               const char *name) {
    atg_str path, bytes = {0};
    atg_operation op = {0};
    atg_err err = {0};
    int rc;

    path = atg_arena_printf(arena, "%s/%s/%s", all, folder, name);
    assert_int_equal(file_read(arena, path.p, ARENA, &bytes, &err), ATG_OK);
    rc = strcmp(folder, "fam") == 0 ? atg_familias_read(arena, bytes, &op, NULL, &err)
                                    : atg_operation_read_json(arena, bytes, &op, NULL, &err);
    if (rc)
        fail_msg("%s line %u: %s", name, err.line, err.msg);
    return op;
}

static void assert_same_markers(const atg_operation *x, const atg_operation *y) {
    assert_int_equal(x->n_markers, y->n_markers);
    for (uint32_t m = 0; m < x->n_markers; m++) {
        const atg_marker *p = &x->markers[m], *q = &y->markers[m];

        assert_true(atg_str_eq(p->name, q->name));
        assert_int_equal(p->n, q->n);
        for (uint16_t i = 0; i < p->n; i++) {
            int k = atg_marker_allele(q, p->labels[i]);

            assert_true(k >= 0 && fabs(p->freqs[i] - q->freqs[k]) < 1e-15);
        }
        assert_int_equal(p->female.model, q->female.model);
        assert_true(p->female.rate == q->female.rate && p->male.rate == q->male.rate);
    }
}

/* The same unordered alleles by their labels. */
static void assert_same_profile(const atg_operation *x, const atg_geno *a, const atg_operation *y,
                                const atg_geno *b) {
    for (uint32_t m = 0; m < x->n_markers; m++) {
        const atg_marker *p = &x->markers[m], *q = &y->markers[m];
        int i = a[m].a < 0 ? -1 : atg_marker_allele(q, p->labels[a[m].a]);
        int k = a[m].b < 0 ? -1 : atg_marker_allele(q, p->labels[a[m].b]);

        assert_true((i == b[m].a && k == b[m].b) || (i == b[m].b && k == b[m].a));
    }
}

/* The n-th typed person of a family, or NULL. */
static const atg_geno *typed(const atg_family *fam, uint32_t n) {
    for (uint32_t i = 0; i < fam->ped.n; i++)
        if (fam->ped.persons[i].genos && n-- == 0)
            return fam->ped.persons[i].genos;
    return NULL;
}

static void published_files_agree_with_the_operations_made_of_them(void **state) {
    static const char *const pairs[][2] = {
        {"dvi-example.fam", "dvi-example.json"},
        {"exclusionExample.fam", "exclusionExample.json"},
        {"KETPex497.fam", "KETPexer497.json"},
    };

    const char *all = getenv("ATG_REFERENCE"); /* NOLINT(concurrency-mt-unsafe): one thread */

    (void)state;
    if (!all) {
        print_message("ATG_REFERENCE is not set: published files are not read\n");
        return;
    }
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)256 << 20);
        atg_operation x = published(arena, all, "fam", pairs[i][0]);
        atg_operation y = published(arena, all, "operations", pairs[i][1]);

        assert_same_markers(&x, &y);
        assert_int_equal(x.n_samples, y.n_samples);
        for (uint32_t s = 0; s < x.n_samples; s++)
            assert_same_profile(&x, x.samples[s].genos, &y, y.samples[s].genos);
        assert_int_equal(x.n_missing, y.n_missing);
        assert_int_equal(x.n_families, y.n_families);
        for (uint32_t f = 0; f < x.n_families; f++) {
            assert_int_equal(x.families[f].ped.n, y.families[f].ped.n);
            for (uint32_t n = 0; typed(&x.families[f], n); n++)
                assert_same_profile(&x, typed(&x.families[f], n), &y, typed(&y.families[f], n));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_is_read_with_models_theta_and_sizes),
        cmocka_unit_test(remains_are_samples_and_families_have_their_missing),
        cmocka_unit_test(a_spouse_tells_the_sex_of_a_missing_person),
        cmocka_unit_test(a_name_of_ones_own_stays_the_name_of_the_missing),
        cmocka_unit_test(a_file_without_the_dvi_module_gives_its_pedigrees),
        cmocka_unit_test(line_ends_and_encodings_do_not_matter),
        cmocka_unit_test(an_allele_that_the_table_lacks_gets_the_minimum_frequency),
        cmocka_unit_test(broken_files_are_refused_at_their_place),
        cmocka_unit_test(dna_data_of_a_missing_person_are_an_own_sample),
        cmocka_unit_test(a_file_that_was_cut_off_is_never_read),
        cmocka_unit_test(what_is_written_reads_as_the_same_operation),
        cmocka_unit_test(a_relative_leaves_only_to_the_recipient_that_was_named),
        cmocka_unit_test(what_familias_cannot_hold_is_refused_or_left_out),
        cmocka_unit_test(writing_reports_memory_that_is_short),
        cmocka_unit_test(published_files_agree_with_the_operations_made_of_them),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(memory_that_is_too_small_is_reported_at_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
