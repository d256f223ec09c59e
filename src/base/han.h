/* SPDX-License-Identifier: Apache-2.0 */
/* Han characters of the Basic Multilingual Plane: tables made at build time (tools/han_table.c). */
#ifndef ATG_BASE_HAN_H
#define ATG_BASE_HAN_H

#include <stdint.h>

enum { HAN_FIRST = 0x3400, HAN_COUNT = 0x6c00, HAN_SOUND = 8 };

/* The simplified character; 0: the character itself. */
extern const uint16_t han_simple[HAN_COUNT];

/* Pinyin without tones: the number of a text in han_sounds, 0 for none. */
extern const uint16_t han_sound[HAN_COUNT];
extern const char han_sounds[][HAN_SOUND];

/* Those that sound otherwise as a family name: character and sound, in order. */
extern const uint32_t han_families;
extern const uint16_t han_family[][2];

#endif
