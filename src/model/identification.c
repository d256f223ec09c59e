/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/identification.h>

const char *atg_conclusion_word(atg_conclusion conclusion) {
    switch (conclusion) {
    case ATG_POSSIBLE:
        return "possible";
    case ATG_PROBABLE:
        return "probable";
    case ATG_EXCLUDED:
        return "excluded";
    case ATG_INSUFFICIENT:
        break;
    }
    return "insufficient";
}
