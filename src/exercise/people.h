/* SPDX-License-Identifier: Apache-2.0 */
/* Invented people for exercises: what a family would tell of somebody, in several scripts.  The
 * same seed and number give the same person on every machine.  Nobody of this name is meant. */
#ifndef ATG_EXERCISE_PEOPLE_H
#define ATG_EXERCISE_PEOPLE_H

#include <antigone/pedigree.h>

enum { PERSON_TEXT = 96 };

/* The day of the accident, on which all were seen last; the youngest was eleven. */
#define PEOPLE_LAST_SEEN "2026-06-14"

typedef struct made_person {
    char family[PERSON_TEXT], given[PERSON_TEXT];
    char born[16]; /* YYYY-MM-DD */
    char last_place[PERSON_TEXT], informant[2 * PERSON_TEXT], contact[PERSON_TEXT];
    char hair[PERSON_TEXT], eyes[PERSON_TEXT], clothing[PERSON_TEXT];
    int stature; /* cm */
    bool man;
    int pigment; /* of the family's skin and hair: 0 light to 2 dark */
} made_person;

/* `family` numbers the family: its members share a name. */
void people_make(uint64_t seed, uint32_t family, uint32_t number, atg_sex sex, made_person *ret);

#endif
