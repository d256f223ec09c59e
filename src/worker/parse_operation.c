/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/parse.h"

static const char unknown[] = "This is none of the formats that are read: an operation (JSON), a "
                              "Familias file, CODIS CMF, or a table of genotypes";

static void guess(const parse *p, atg_source *files) {
    for (uint32_t i = 0; i < p->ask->n; i++) {
        files[i] = (atg_source){.name = p->ask->files[i].name, .bytes = p->w->files[i]};
        files[i].format = atg_format_guess(atg_str_of(files[i].name), files[i].bytes);
    }
}

/* ---- an operation ---- */

/* A file that names no population is read with the one that the user names. */
static int name_population(const parse *p, const atg_source *f, atg_operation *op, atg_err *err) {
    atg_str asked = atg_str_of(p->ask->population);

    if (!asked.n)
        return ATG_OK;
    if (f->format == ATG_FORMAT_OPERATION)
        return atg_fail(err, ATG_EINVAL,
                        "A population is named with tables: this operation names its own");
    op->params.population = asked;
    return ATG_OK;
}

static int read_whole(const parse *p, const atg_source *f, atg_operation *ret, atg_err *err) {
    int rc = f->format == ATG_FORMAT_FAMILIAS
                 ? atg_familias_read(p->arena, f->bytes, ret, p->notes, err)
                 : atg_operation_read_json(p->arena, f->bytes, ret, p->notes, err);

    return rc ? rc : name_population(p, f, ret, err);
}

/* The one file of frequencies, and at least one of genotypes. */
static int find_frequencies(const parse *p, const atg_source *files, uint32_t *ret, atg_err *err) {
    uint32_t found = 0;

    for (uint32_t i = 0; i < p->ask->n; i++) {
        if (files[i].format == ATG_FORMAT_UNKNOWN)
            return atg_fail(err, ATG_EPARSE, "%s: %s", files[i].name, unknown);
        if (atg_format_is_whole(files[i].format))
            return atg_fail(err, ATG_EINVAL,
                            "%s is a whole operation: it is not combined with other files",
                            files[i].name);
        if (files[i].format != ATG_FORMAT_FREQUENCIES)
            continue;
        *ret = i;
        found++;
    }
    if (found != 1)
        return atg_fail(err, ATG_EINVAL,
                        "Tables of genotypes need one file of allele frequencies: there are %u",
                        found);
    if (p->ask->n == 1)
        return atg_fail(err, ATG_EINVAL, "These are frequencies only: add a file of genotypes");
    return ATG_OK;
}

static atg_mutation mutation_of(const worker_mutation *m) {
    return (atg_mutation){.model = (atg_mutation_model)m->model,
                          .rate = m->rate,
                          .rate2 = m->rate2,
                          .range = m->range};
}

/* Numbers that come from the parent's user are checked here, too. */
static int check_mutation(const worker_mutation *m, atg_err *err) {
    if (m->model <= ATG_MUT_ONESTEP && m->rate >= 0 && m->rate <= 1 && m->rate2 >= 0 &&
        m->rate2 <= 1 && (m->model != ATG_MUT_STEPWISE || (m->range > 0 && m->range < 1)))
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL, "This mutation model does not exist or has wrong numbers");
}

static int read_rows(const parse *p, atg_source *files, atg_frequencies *freqs, atg_err *err) {
    uint32_t at = 0;
    atg_err e = {0};
    int rc = find_frequencies(p, files, &at, err);

    if (rc)
        return rc;
    rc = atg_frequencies_read(p->arena, files[at].bytes, atg_str_of(p->ask->population), freqs,
                              p->notes, &e);
    for (uint32_t i = 0; i < p->ask->n && rc == ATG_OK; i++)
        if (i != at) {
            rc = atg_source_read(p->arena, &files[i], p->notes, &e);
            at = rc ? i : at;
        }
    return rc ? parse_in_file(p, at, rc, &e, err) : ATG_OK;
}

static int read_tables(const parse *p, atg_source *files, atg_operation *ret, atg_err *err) {
    atg_params params = atg_params_default();
    atg_frequencies freqs = {0};
    const atg_profile_row *rows = NULL;
    const atg_source *culprit;
    uint32_t n = 0;
    atg_err e = {0};
    int rc = read_rows(p, files, &freqs, err);

    if (rc == ATG_OK)
        rc = check_mutation(&p->ask->female, err);
    if (rc == ATG_OK)
        rc = check_mutation(&p->ask->male, err);
    if (rc == ATG_OK)
        rc = atg_sources_join(p->arena, p->ask->n, files, &n, &rows, err);
    if (rc)
        return rc;
    if (!freqs.n_population && !(p->ask->min_frequency > 0))
        return atg_fail(err, ATG_EINVAL,
                        "The frequencies do not say how many persons were typed: name the minimum "
                        "frequency, for example 0.001");
    params.population = atg_str_of(p->ask->population);
    params.theta = p->ask->theta;
    params.min_freq = p->ask->min_frequency;
    rc = atg_operation_of_rows(p->arena, n, rows, &freqs, params, mutation_of(&p->ask->female),
                               mutation_of(&p->ask->male), ret, p->notes, &e);
    culprit = rc ? atg_sources_culprit(p->ask->n, files, &e) : NULL;
    if (culprit)
        return parse_in_file(p, (uint32_t)(culprit - files), rc, &e, err);
    return rc ? atg_fail_at(err, rc, e.line, e.col, "%s", e.msg) : ATG_OK;
}

int parse_operation(const parse *p, atg_err *err) {
    atg_source files[WORKER_INPUTS_MAX];
    parse_out out;
    atg_operation op = {0};
    int rc;

    guess(p, files);
    if (p->ask->n == 1 && files[0].format == ATG_FORMAT_UNKNOWN)
        return atg_fail(err, ATG_EPARSE, "%s", unknown);
    rc = p->ask->n == 1 && atg_format_is_whole(files[0].format) ? read_whole(p, &files[0], &op, err)
                                                                : read_tables(p, files, &op, err);
    if (rc == ATG_OK)
        rc = atg_operation_check(&op, err);
    if (rc == ATG_OK)
        rc = parse_begin(p->w, p->ask->out_max, &out, err);
    if (rc)
        return rc;
    rc = atg_operation_write_json(&op, NULL, out.buf, err);
    if (rc == ATG_OK)
        rc = parse_flush(&out, true, err);
    parse_end(&out);
    return rc;
}

/* ---- rows of genotypes ---- */

static void put_text(json *j, const char *key, atg_str text) {
    if (!text.n)
        return;
    json_key(j, key);
    json_str(j, text);
}

static void put_calls(json *j, const atg_profile_row *row) {
    json_key(j, "calls");
    json_begin_array(j);
    for (uint32_t i = 0; i < row->n_calls; i++) {
        const struct atg_profile_call *c = &row->calls[i];

        json_array_line(j);
        json_str(j, c->marker);
        json_str(j, c->a);
        json_str(j, c->b);
        json_int(j, c->line);
        json_int(j, c->col);
        json_end(j, ']');
    }
    json_end(j, ']');
}

static void put_row(json *j, const atg_profile_row *row) {
    json_begin_object(j);
    json_key(j, "id");
    json_str(j, row->id);
    json_key(j, "line");
    json_int(j, row->line);
    put_text(j, "body", row->body);
    put_text(j, "family", row->family);
    put_text(j, "father", row->father);
    put_text(j, "mother", row->mother);
    put_text(j, "missing", row->missing);
    if (row->sex != ATG_SEX_UNKNOWN) {
        json_key(j, "sex");
        json_text(j, row->sex == ATG_SEX_MALE ? "male" : "female");
    }
    if (row->staff) {
        json_key(j, "staff");
        json_bool(j, true);
    }
    if (row->own) {
        json_key(j, "own");
        json_bool(j, true);
    }
    put_calls(j, row);
    json_end(j, '}');
}

static int put_rows(const atg_source *f, parse_out *out, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < f->n_rows && rc == ATG_OK; i++) {
        put_row(&out->j, &f->rows[i]);
        rc = parse_flush(out, false, err);
    }
    return rc;
}

static int write_profiles(const parse *p, const atg_source *files, parse_out *out, atg_err *err) {
    int rc = ATG_OK;

    json_begin_object(&out->j);
    json_key(&out->j, "schema");
    json_text(&out->j, "antigone-profiles/1");
    json_key(&out->j, "rows");
    json_begin_array(&out->j);
    for (uint32_t i = 0; i < p->ask->n && rc == ATG_OK; i++)
        rc = put_rows(&files[i], out, err);
    if (rc)
        return rc;
    json_end(&out->j, ']');
    json_end(&out->j, '}');
    return parse_flush(out, true, err);
}

int parse_profiles(const parse *p, atg_err *err) {
    atg_source files[WORKER_INPUTS_MAX];
    parse_out out;
    int rc = ATG_OK;

    guess(p, files);
    for (uint32_t i = 0; i < p->ask->n && rc == ATG_OK; i++) {
        atg_err e = {0};

        if (files[i].format != ATG_FORMAT_CMF && files[i].format != ATG_FORMAT_TABLE)
            rc = atg_fail(&e, ATG_EPARSE, "This is neither a table of genotypes nor CODIS CMF");
        else
            rc = atg_source_read(p->arena, &files[i], p->notes, &e);
        if (rc)
            rc = parse_in_file(p, i, rc, &e, err);
    }
    if (rc == ATG_OK)
        rc = parse_begin(p->w, p->ask->out_max, &out, err);
    if (rc)
        return rc;
    rc = write_profiles(p, files, &out, err);
    parse_end(&out);
    return rc;
}
