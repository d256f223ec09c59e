/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/sex.h"

static bool shows(const atg_marker *marker, int allele, const char *label) {
    return allele >= 0 && atg_str_eq_nocase(marker->labels[allele], atg_str_of(label));
}

atg_sex sex_of_amelogenin(const atg_operation *op, const atg_geno *genos, double dropout) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        const atg_marker *marker = &op->markers[m];

        if (marker->chrom != ATG_CHROM_AMELOGENIN || !atg_geno_typed(genos[m]))
            continue;
        if (shows(marker, genos[m].a, "Y") || shows(marker, genos[m].b, "Y"))
            return ATG_SEX_MALE;
        if (shows(marker, genos[m].a, "X") && shows(marker, genos[m].b, "X") && dropout <= 0)
            return ATG_SEX_FEMALE;
    }
    return ATG_SEX_UNKNOWN;
}

int sex_two_x(const atg_operation *op, const atg_geno *genos) {
    for (uint32_t m = 0; m < op->n_markers; m++)
        if (op->markers[m].chrom == ATG_CHROM_X && genos[m].b >= 0 && genos[m].a != genos[m].b)
            return (int)m;
    return -1;
}

int sex_has_y(const atg_operation *op, const atg_geno *genos) {
    for (uint32_t m = 0; m < op->n_markers; m++)
        if (op->markers[m].chrom == ATG_CHROM_Y && atg_geno_typed(genos[m]))
            return (int)m;
    return -1;
}

const char *sex_word(atg_sex sex) {
    return sex == ATG_SEX_MALE ? "male" : sex == ATG_SEX_FEMALE ? "female" : "unknown";
}
