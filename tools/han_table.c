/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the tables of src/base/han.h from ICU's transliterators, which are too slow to open and to
 * run at every name: of each Han character the simplified one and its sound in pinyin without
 * tones, and of those that sound otherwise as a family name that sound. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uclean.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

enum { FIRST = 0x3400, LAST = 0x9fff, COUNT = LAST - FIRST + 1 };
enum { SOUND = 8, SOUNDS_MAX = 1000, ROOM = 32, PER_LINE = 12 };

/* Japanese forms of characters in names, which ICU does not know, and their traditional ones. */
static const uint16_t japanese[][2] = {
    {0x4e80, 0x9f9c}, {0x4f1d, 0x50b3}, {0x5150, 0x5152}, {0x5263, 0x528d}, {0x56e3, 0x5718},
    {0x56f3, 0x5716}, {0x5869, 0x9e7d}, {0x5b9f, 0x5be6}, {0x5d5c, 0x5d0e}, {0x5d8b, 0x5cf6},
    {0x5dcc, 0x5dd6}, {0x5e2f, 0x5e36}, {0x5e83, 0x5ee3}, {0x5f25, 0x5f4c}, {0x5fb3, 0x5fb7},
    {0x6075, 0x60e0}, {0x6589, 0x9f4a}, {0x658e, 0x9f4b}, {0x6681, 0x66c9}, {0x6804, 0x69ae},
    {0x685c, 0x6afb}, {0x6a29, 0x6b0a}, {0x6c17, 0x6c23}, {0x6ca2, 0x6fa4}, {0x6d5c, 0x6ff1},
    {0x6e08, 0x6fdf}, {0x6e0b, 0x6f81}, {0x6edd, 0x7027}, {0x770c, 0x7e23}, {0x7adc, 0x9f8d},
    {0x7d75, 0x7e6a}, {0x8535, 0x85cf}, {0x8c4a, 0x8c50}, {0x8fba, 0x908a}, {0x9089, 0x908a},
    {0x90f7, 0x9109}, {0x9244, 0x9435}, {0x9271, 0x7926}, {0x95a2, 0x95dc}, {0x99c5, 0x9a5b},
    {0x9ad9, 0x9ad8}, {0x9ed2, 0x9ed1},
};

static char sounds[SOUNDS_MAX][SOUND];
static unsigned n_sounds = 1; /* 0: none */

static UTransliterator *open_rules(const char *id) {
    UErrorCode status = U_ZERO_ERROR;
    UChar name[64];
    UTransliterator *t;

    u_uastrcpy(name, id);
    t = utrans_openU(name, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    if (U_FAILURE(status)) {
        fprintf(stderr, "ICU has no %s: %s\n", id, u_errorName(status));
        exit(1);
    }
    return t;
}

static int32_t apply(const UTransliterator *t, UChar32 cp, UChar ret[ROOM]) {
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = 1, limit = 1;

    ret[0] = (UChar)cp;
    ret[1] = 0;
    utrans_transUChars(t, ret, &n, ROOM, 0, &limit, &status);
    if (U_FAILURE(status)) {
        fprintf(stderr, "U+%04X: %s\n", (unsigned)cp, u_errorName(status));
        exit(1);
    }
    return n;
}

/* The number of a sound: Latin letters without marks, or 0 when it is anything else. */
static unsigned sound_of(const UTransliterator *t, const UTransliterator *plain, UChar32 cp) {
    UErrorCode status = U_ZERO_ERROR;
    UChar text[ROOM];
    char sound[SOUND] = {0};
    int32_t n = apply(t, cp, text), limit = n;
    unsigned i;

    utrans_transUChars(plain, text, &n, ROOM, 0, &limit, &status);
    for (i = 0; i < (unsigned)n; i++) {
        if (text[i] < 'a' || text[i] > 'z' || i + 1 >= SOUND)
            return 0;
        sound[i] = (char)text[i];
    }
    for (i = 1; i < n_sounds && strcmp(sounds[i], sound) != 0; i++)
        ;
    if (i == n_sounds) {
        if (n_sounds == SOUNDS_MAX)
            exit(1);
        memcpy(sounds[n_sounds++], sound, SOUND);
    }
    return i;
}

/* The simplified form, whatever the way there. */
static unsigned simple_of(const UTransliterator *t, UChar32 cp) {
    unsigned at = (unsigned)cp;
    UChar text[ROOM];

    for (size_t i = 0; i < sizeof(japanese) / sizeof(*japanese); i++)
        if (japanese[i][0] == at)
            at = japanese[i][1];
    for (int steps = 0; steps < 4; steps++)
        if (apply(t, (UChar32)at, text) == 1 && text[0] >= FIRST && text[0] <= LAST)
            at = text[0];
    return at == (unsigned)cp ? 0 : at;
}

static void print_numbers(const char *name, const unsigned *numbers) {
    printf("const uint16_t %s[HAN_COUNT] = {", name);
    for (int i = 0; i < COUNT; i++)
        printf("%s%u,", i % PER_LINE ? " " : "\n    ", numbers[i]);
    puts("\n};");
}

int main(void) {
    static unsigned simple[COUNT], sound[COUNT], family[COUNT];
    UTransliterator *hans = open_rules("Hant-Hans"), *latin = open_rules("Han-Latin"),
                    *names = open_rules("Han-Latin/Names"),
                    *plain = open_rules("NFD; [:M:] Remove; NFC; Lower");
    unsigned n_family = 0;

    for (int i = 0; i < COUNT; i++) {
        UChar32 cp = FIRST + i;

        if (!u_isdefined(cp))
            continue;
        simple[i] = simple_of(hans, cp);
        sound[i] = sound_of(latin, plain, cp);
        family[i] = sound_of(names, plain, cp);
        if (family[i] != sound[i])
            n_family++;
    }
    puts("/* Made by tools/han_table.c from the transliterators of ICU. */\n#include "
         "\"base/han.h\"\n");
    print_numbers("han_simple", simple);
    print_numbers("han_sound", sound);
    printf("const char han_sounds[][HAN_SOUND] = {");
    for (unsigned i = 0; i < n_sounds; i++)
        printf("%s\"%s\",", i % PER_LINE ? " " : "\n    ", sounds[i]);
    printf("\n};\nconst uint32_t han_families = %u;\nconst uint16_t han_family[][2] = {", n_family);
    for (int i = 0, n = 0; i < COUNT; i++)
        if (family[i] != sound[i])
            printf("%s{%d, %u},", n++ % PER_LINE ? " " : "\n    ", FIRST + i, family[i]);
    puts("\n};");
    utrans_close(hans);
    utrans_close(latin);
    utrans_close(names);
    utrans_close(plain);
    u_cleanup();
    return 0;
}
