/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_DNA_RCRS_H
#define ATG_DNA_RCRS_H

#include <stdint.h>

/* Base of rCRS (NC_012920.1) at a position 1..16569: A, C, G, T, and N at 3107. */
char rcrs_base(uint16_t pos);

#endif
