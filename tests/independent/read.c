/* SPDX-License-Identifier: Apache-2.0 */
/* The operation and its truth, for provable.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

operation op;

void die(const char *what, const char *which) {
    (void)fprintf(stderr, "provable: %s: %s\n", which, what);
    exit(3); /* NOLINT(concurrency-mt-unsafe): one thread */
}

void *get(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size);

    if (!p)
        die("memory is short", "input");
    return p;
}

static const char *text(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static double number(const json_t *o, const char *key, double otherwise) {
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : otherwise;
}

static json_t *load(const char *path, const char *schema, json_t **keep) {
    json_error_t e;
    json_t *root = *keep = json_load_file(path, 0, &e);

    if (!root)
        die(e.text, path);
    if (!text(root, "schema") || strcmp(text(root, "schema"), schema) != 0)
        die("this is another kind of file", path);
    return root;
}

/* Repeats in tenths. */
static int tenths(const char *label) {
    return (int)lround(10 * strtod(label, NULL));
}

/* Probabilities of the other alleles in the row of allele i; that of i is left to the caller. */
static void mutants(const marker *m, const json_t *model, const char *name, int i, double *row) {
    double rate = number(model, "rate", 0), rate2 = number(model, "rate2", 0);
    double range = number(model, "range", 0), near = 0, far = 0, scale = 0;

    for (int j = 0; j < m->n; j++) {
        int step = abs(tenths(m->labels[i]) - tenths(m->labels[j]));

        near += step && step % 10 == 0 ? pow(range, step / 10.0) : 0;
        far += step % 10 != 0;
        scale += m->freq[j] * (1 - m->freq[j]);
    }
    for (int j = 0; j < m->n; j++) {
        int step = abs(tenths(m->labels[i]) - tenths(m->labels[j]));

        if (strcmp(name, "equal") == 0)
            row[j] = rate / (m->n - 1);
        else if (strcmp(name, "proportional") == 0)
            row[j] = rate / scale * m->freq[j];
        else if (strcmp(name, "stepwise") == 0)
            row[j] = step % 10 ? rate2 / far : rate * pow(range, step / 10.0) / near;
        else if (strcmp(name, "none") != 0)
            die("this mutation model is not covered", m->name);
    }
}

static double *mutation_of(const marker *m, const json_t *model) {
    double *to = get(cell_of(m, m->n, 0), sizeof(*to));
    const char *name = model && !json_is_null(model) ? text(model, "model") : "none";

    if (json_object_get(model, "transform"))
        die("transformed mutation models are not covered", m->name);
    for (int i = 0; i < m->n; i++) {
        double *row = to + cell_of(m, i, 0), rest = 1;

        mutants(m, model, name, i, row);
        for (int j = 0; j < m->n; j++)
            rest -= j == i ? 0 : row[j];
        row[i] = rest;
    }
    return to;
}

static void read_marker(const json_t *v, marker *m) {
    const json_t *labels = json_object_get(v, "alleles"), *freqs = json_object_get(v, "freqs");
    const json_t *mutation = json_object_get(v, "mutation");
    const char *chrom = text(v, "chrom");

    m->name = text(v, "name");
    m->n = (int)json_array_size(labels);
    m->x = chrom && strcmp(chrom, "X") == 0;
    m->used = m->x || !chrom || strcmp(chrom, "A") == 0;
    if (!m->name || m->n < 1 || m->n > ALLELES)
        die("a marker needs a name and 1 to 255 alleles", "markers");
    if (m->used && (json_object_get(v, "silent") || json_object_get(v, "linked_to") ||
                    json_object_get(v, "linkage_group")))
        die("silent alleles and linked markers are not covered", m->name);
    for (int i = 0; i < m->n; i++) {
        m->labels[i] = json_string_value(json_array_get(labels, (size_t)i));
        m->freq[i] = json_number_value(json_array_get(freqs, (size_t)i));
        if (!m->labels[i])
            die("an allele is not a text", m->name);
    }
    if (m->used) {
        m->mutation[0] = mutation_of(m, json_object_get(mutation, "male"));
        m->mutation[1] = mutation_of(m, json_object_get(mutation, "female"));
    }
}

static int allele(const marker *m, const json_t *v) {
    const char *label = json_string_value(v);

    if (!label || strcmp(label, "-") == 0)
        return -1;
    for (int i = 0; i < m->n; i++)
        if (strcmp(m->labels[i], label) == 0)
            return i;
    die("an allele is not in the table", m->name);
    return -1;
}

static obs *read_genotypes(const json_t *owner) {
    const json_t *g = json_object_get(owner, "genotypes");
    obs *seen = get((size_t)op.n_markers, sizeof(*seen));

    if (number(owner, "dropin", 0) > 0)
        die("drop-in is not covered", text(owner, "id"));
    for (int m = 0; m < op.n_markers; m++) {
        const json_t *pair = json_object_get(g, op.markers[m].name);

        seen[m] =
            (obs){allele(&op.markers[m], json_array_get(pair, 0)),
                  allele(&op.markers[m], json_array_get(pair, 1)), number(owner, "dropout", 0)};
    }
    return seen;
}

static int member(const family *f, const char *id) {
    for (int i = 0; id && i < f->n; i++)
        if (strcmp(f->persons[i].id, id) == 0)
            return i;
    return -1;
}

static int sex_of(const json_t *v) {
    return text(v, "sex") ? text(v, "sex")[0] : 'U';
}

static void read_family(const json_t *v, family *f) {
    const json_t *members = json_object_get(v, "members");

    f->n = (int)json_array_size(members);
    f->persons = get((size_t)f->n, sizeof(*f->persons));
    if (f->n > PERSONS)
        die("this family is too large", text(v, "id"));
    for (int i = 0; i < f->n; i++) {
        const json_t *p = json_array_get(members, (size_t)i);

        f->persons[i].id = text(p, "id");
        f->persons[i].missing = text(p, "missing");
        f->persons[i].sex = sex_of(p);
        if (json_object_get(p, "genotypes"))
            f->persons[i].seen = read_genotypes(p);
        if (number(p, "inbreeding", 0) > 0)
            die("inbreeding of founders is not covered", f->persons[i].id);
        op.n_missing += f->persons[i].missing != NULL;
    }
    for (int i = 0; i < f->n; i++) {
        const json_t *p = json_array_get(members, (size_t)i);

        f->persons[i].father = member(f, text(p, "father"));
        f->persons[i].mother = member(f, text(p, "mother"));
    }
}

static void read_sample(const json_t *v) {
    const char *id = text(v, "body") ? text(v, "body") : text(v, "id");
    body *b = NULL;
    int sex = sex_of(v);

    if (!id)
        die("a sample without an id", "remains");
    for (int i = 0; i < op.n_bodies; i++)
        if (op.bodies[i].id && strcmp(op.bodies[i].id, id) == 0)
            b = &op.bodies[i];
    if (!b)
        b = &op.bodies[op.n_bodies++];
    if (b->n == SAMPLES)
        die("too many samples of one body", id);
    b->sex = b->n && b->sex != 'U' ? b->sex : sex;
    b->id = id;
    b->sample_ids[b->n] = text(v, "id");
    b->samples[b->n++] = read_genotypes(v);
}

static void read_prior(const json_t *root) {
    const json_t *prior = json_object_get(root, "prior");
    const char *kind = prior ? text(prior, "kind") : "flat";
    double n = number(prior, "n_expected", 0), q = number(prior, "not_on_list", 0);

    n = n > 0 ? n : op.n_missing;
    op.odds = 1;
    if (strcmp(kind, "open") == 0)
        op.odds = (1 - q) / (q * n);
    else if (strcmp(kind, "closed") == 0 && n > 1)
        op.odds = 1 / (n - 1);
    if (json_array_size(json_object_get(prior, "given")))
        die("given odds are not covered", "prior");
}

void read_operation(const char *path) {
    const json_t *root = load(path, "antigone-operation/1", &op.files[0]);
    const json_t *markers = json_object_get(root, "markers");
    const json_t *remains = json_object_get(root, "remains");
    const json_t *families = json_object_get(root, "families");

    if (number(root, "theta", 0) > 0)
        die("theta is not covered", path);
    op.threshold = number(root, "threshold", 0.9995);
    op.least_lr = number(root, "min_log10_lr", 4);
    op.n_markers = (int)json_array_size(markers);
    if (op.n_markers > MARKERS)
        die("too many markers", path);
    for (int m = 0; m < op.n_markers; m++)
        read_marker(json_array_get(markers, (size_t)m), &op.markers[m]);
    op.n_families = (int)json_array_size(families);
    op.families = get((size_t)op.n_families, sizeof(*op.families));
    for (int f = 0; f < op.n_families; f++)
        read_family(json_array_get(families, (size_t)f), &op.families[f]);
    op.bodies = get(json_array_size(remains), sizeof(*op.bodies));
    for (size_t i = 0; i < json_array_size(remains); i++)
        read_sample(json_array_get(remains, i));
    read_prior(root);
}

void read_truth(const char *path) {
    const json_t *samples =
        json_object_get(load(path, "antigone-truth/1", &op.files[1]), "samples");

    for (int i = 0; i < op.n_bodies; i++)
        for (size_t k = 0; k < json_array_size(samples) && !op.bodies[i].truth; k++) {
            const json_t *s = json_array_get(samples, k);

            for (int j = 0; j < op.bodies[i].n; j++)
                if (strcmp(op.bodies[i].sample_ids[j], text(s, "id")) == 0)
                    op.bodies[i].truth = text(s, "missing");
        }
}
