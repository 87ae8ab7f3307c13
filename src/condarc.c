#include "condarc.h"

#include "file.h"
#include "scope.h"

#include <cyaml/cyaml.h>
#include <stdint.h>

enum { CONDARC_LIMIT = 1 << 20 };

struct condarc {
    char **envs_dirs;
    unsigned envs_dirs_count;
};

static const cyaml_schema_value_t folder_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t condarc_fields[] = {
    CYAML_FIELD_SEQUENCE("envs_dirs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct condarc,
                         envs_dirs, &folder_value, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t condarc_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct condarc, condarc_fields),
};

static const cyaml_config_t lenient = {
    .log_fn = NULL,
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS,
};

int condarc_envs_dirs(const char *path, struct names *folders)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    cyaml_data_t *data = NULL;
    int result = 0;

    if (file_read(path, CONDARC_LIMIT, &text) < 0 || !text.length ||
        cyaml_load_data((const uint8_t *)text.text, text.length, &lenient, &condarc_value, &data,
                        NULL) != CYAML_OK ||
        !data)
        return 0;
    const struct condarc *condarc = data;
    for (unsigned i = 0; i < condarc->envs_dirs_count && result == 0; i++)
        result = names_add(folders, condarc->envs_dirs[i]);
    cyaml_free(&lenient, &condarc_value, data, 0);
    return result;
}
