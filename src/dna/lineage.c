/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/lineage.h>

/* Steps between alleles that no count of repeats connects: more than one, so never "one step". */
enum { STEPS_FAR = 2 };

static uint32_t steps_between(const atg_marker *m, int a, int b) {
    int d;

    if (a == b)
        return 0;
    if (a < 0 || b < 0)
        return STEPS_FAR;
    d = m->tenths[a] - m->tenths[b];
    if (m->tenths[a] < 0 || m->tenths[b] < 0)
        return STEPS_FAR;
    d = d < 0 ? -d : d;
    if (d % 10)
        return d < 10 * STEPS_FAR ? STEPS_FAR : (uint32_t)(d + 9) / 10;
    return (uint32_t)d / 10;
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* A marker with one copy has its allele twice; with two copies the better way to pair them. */
static uint32_t marker_steps(const atg_marker *m, atg_geno x, atg_geno y) {
    if (x.b < 0 || (x.a == x.b && y.a == y.b))
        return y.b < 0 ? steps_between(m, x.a, y.a)
                       : least(steps_between(m, x.a, y.a), steps_between(m, x.a, y.b));
    if (y.b < 0)
        return least(steps_between(m, x.a, y.a), steps_between(m, x.b, y.a));
    return least(steps_between(m, x.a, y.a) + steps_between(m, x.b, y.b),
                 steps_between(m, x.a, y.b) + steps_between(m, x.b, y.a));
}

static bool y_typed_in_both(const atg_operation *op, int m, const atg_geno *x, const atg_geno *y) {
    return m >= 0 && op->markers[m].chrom == ATG_CHROM_Y && atg_geno_typed(x[m]) &&
           atg_geno_typed(y[m]);
}

/* DYS389II is counted with DYS389I in it, so that a step in I shows in both: the steps of II
 * without those of I, or -1 when this does not apply. */
static int steps_of_389ii(const atg_operation *op, int one, int two, const atg_geno *x,
                          const atg_geno *y) {
    const int16_t *t1, *t2;

    if (!y_typed_in_both(op, one, x, y) || !y_typed_in_both(op, two, x, y))
        return -1;
    t1 = op->markers[one].tenths;
    t2 = op->markers[two].tenths;
    if (t1[x[one].a] < 0 || t1[y[one].a] < 0 || t2[x[two].a] < 0 || t2[y[two].a] < 0)
        return -1;

    int d = (t2[x[two].a] - t1[x[one].a]) - (t2[y[two].a] - t1[y[one].a]);

    d = d < 0 ? -d : d;
    return d % 10 ? STEPS_FAR : d / 10;
}

void atg_y_compare(const atg_operation *op, const atg_geno *x, const atg_geno *y,
                   atg_lineage_cmp *ret) {
    int one = atg_operation_marker(op, ATG_STR("DYS389I"));
    int two = atg_operation_marker(op, ATG_STR("DYS389II"));
    int steps_ii = steps_of_389ii(op, one, two, x, y);

    *ret = (atg_lineage_cmp){0};
    for (uint32_t m = 0; m < op->n_markers; m++) {
        uint32_t steps;

        if (!y_typed_in_both(op, (int)m, x, y))
            continue;
        steps = (int)m == two && steps_ii >= 0 ? (uint32_t)steps_ii
                                               : marker_steps(&op->markers[m], x[m], y[m]);
        ret->n_compared++;
        ret->n_steps += steps;
        ret->n_differ += steps > 0;
    }
}

/* The earliest recorded ancestor of the line. */
static uint32_t line_founder(const atg_pedigree *ped, uint32_t person, bool y) {
    for (;;) {
        int32_t parent = y ? ped->persons[person].father : ped->persons[person].mother;

        if (parent < 0)
            return person;
        person = (uint32_t)parent;
    }
}

static bool line_typed(const atg_operation *op, const atg_person *p, bool y) {
    if (!y)
        return p->mt.n_ranges > 0;
    for (uint32_t m = 0; m < op->n_markers && p->genos; m++)
        if (op->markers[m].chrom == ATG_CHROM_Y && atg_geno_typed(p->genos[m]))
            return true;
    return false;
}

uint32_t atg_lineage_relatives(const atg_operation *op, uint32_t family, uint32_t person, bool y,
                               uint32_t *ret) {
    const atg_pedigree *ped = &op->families[family].ped;
    uint32_t founder = line_founder(ped, person, y), n = 0;

    if (y && ped->persons[person].sex == ATG_SEX_FEMALE)
        return 0;
    for (int typed = 1; typed >= 0; typed--)
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (i != person && !(y && p->sex == ATG_SEX_FEMALE) &&
                line_founder(ped, i, y) == founder && line_typed(op, p, y) == (typed == 1))
                ret[n++] = i;
        }
    return n;
}
