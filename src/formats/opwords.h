/* SPDX-License-Identifier: Apache-2.0 */
/* The words of antigone-operation/1, in the order of their enumerations; NULL ends each list. */
#ifndef ATG_FORMATS_OPWORDS_H
#define ATG_FORMATS_OPWORDS_H

extern const char opwords_schema[];
extern const char *const opwords_models[];
extern const char *const opwords_transforms[];
extern const char *const opwords_chroms[];
extern const char *const opwords_priors[];

#endif
