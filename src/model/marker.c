/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/marker.h>

#include <string.h>

/* The usual spelling first, then what kits, instruments and databases write. */
static const char *const aliases[][6] = {
    {"TH01", "THO1", "HUMTH01", "TC11"},
    {"vWA", "VWA31", "HUMVWA", "VWA31A"},
    {"FGA", "FIBRA", "HUMFIBRA", "FIB"},
    {"TPOX", "HUMTPOX"},
    {"CSF1PO", "CSF", "CSFIPO", "HUMCSF1PO"},
    {"SE33", "ACTBP2", "HUMACTBP2"},
    {"Penta D", "PENTAD", "PD"},
    {"Penta E", "PENTAE", "PE"},
    {"D3S1358", "D3"},
    {"D5S818", "D5"},
    {"D7S820", "D7"},
    {"D8S1179", "D8", "D6S502"},
    {"D13S317", "D13"},
    {"D16S539", "D16"},
    {"D18S51", "D18"},
    {"D19S433", "D19"},
    {"D21S11", "D21"},
    {"D12S391", "D12"},
    {"AMEL", "Amelogenin", "AM", "AMELXY", "AMG"},
    {"DYS389I", "DYS389-1", "DYS389.1"},
    {"DYS389II", "DYS389-2", "DYS389.2"},
    {"DYS385", "DYS385a/b", "DYS385ab", "DYS385A-B"},
    {"Y-GATA-H4", "YGATAH4", "GATAH4", "GATA-H4"},
};

/* Next letter or digit of a name, upper case; 0 at the end.  Punctuation does not tell markers
 * apart in practice, except that "DYS389.1" must not run into "DYS3891". */
static char next_letter(atg_str s, size_t *at) {
    while (*at < s.n) {
        char c = s.p[(*at)++];

        if (c >= 'a' && c <= 'z')
            return (char)(c - 'a' + 'A');
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.')
            return c;
    }
    return 0;
}

static bool same_letters(atg_str a, atg_str b) {
    size_t i = 0, j = 0;

    for (;;) {
        char x = next_letter(a, &i), y = next_letter(b, &j);

        if (x != y)
            return false;
        if (x == 0)
            return true;
    }
}

atg_str atg_marker_usual_name(atg_str name) {
    atg_str t = atg_str_trim(name);

    for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
        for (size_t k = 0; k < sizeof(*aliases) / sizeof(**aliases) && aliases[i][k]; k++)
            if (same_letters(t, atg_str_of(aliases[i][k])))
                return atg_str_of(aliases[i][0]);
    return t;
}

static bool starts_with(atg_str s, const char *head) {
    size_t n = strlen(head);

    return s.n >= n && atg_str_eq_nocase((atg_str){s.p, n}, atg_str_of(head));
}

atg_chrom atg_marker_usual_chrom(atg_str name) {
    atg_str t = atg_marker_usual_name(name);

    if (atg_str_eq(t, ATG_STR("AMEL")))
        return ATG_CHROM_AMELOGENIN;
    if (starts_with(t, "DYS") || starts_with(t, "DYF") || starts_with(t, "Y-GATA") ||
        atg_str_eq_nocase(t, ATG_STR("Yindel")))
        return ATG_CHROM_Y;
    if (starts_with(t, "DXS") || atg_str_eq_nocase(t, ATG_STR("HPRTB")) ||
        atg_str_eq_nocase(t, ATG_STR("HUMARA")) || starts_with(t, "GATA172D05"))
        return ATG_CHROM_X;
    return ATG_CHROM_AUTOSOMAL;
}

bool atg_marker_same_name(atg_str a, atg_str b) {
    atg_str x = atg_marker_usual_name(a), y = atg_marker_usual_name(b);

    return atg_str_eq(x, y) || same_letters(x, y);
}

int atg_marker_allele(const atg_marker *marker, atg_str label) {
    for (uint16_t i = 0; i < marker->n; i++)
        if (atg_str_eq(marker->labels[i], label))
            return i;
    return -1;
}

int16_t atg_allele_tenths(atg_str s) {
    int n = 0;
    size_t i = 0;

    while (i < s.n && i < 3 && s.p[i] >= '0' && s.p[i] <= '9')
        n = n * 10 + (s.p[i++] - '0');
    if (i == 0)
        return -1;
    n *= 10;
    if (i < s.n) {
        if (s.n - i != 2 || s.p[i] != '.' || s.p[i + 1] < '0' || s.p[i + 1] > '9')
            return -1;
        n += s.p[i + 1] - '0';
    }
    if (n < 10)
        return -1;
    return (int16_t)n;
}
