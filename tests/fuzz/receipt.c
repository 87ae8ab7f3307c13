/*
 * What an earlier run left in a prefix, whatever was done to it since: the receipt, and a hook as
 * the only witness. A receipt that is read, printed and read again is the same, and names nothing
 * but what remove may touch; the input in both places of a prefix gives a history or an error.
 */
#include "fuzz/fuzz.h"

#include "base/scope.h"
#include "conda/earlier.h"
#include "conda/parts.h"
#include "conda/paths.h"
#include "hook/signature.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void require_same_host(const struct receipt_host *a, const struct receipt_host *b)
{
    require(same_text(a->host, b->host) && same_text(a->version, b->version) &&
            same_text(a->source, b->source));
    require(part_is_same(a, b));
}

static void require_same(const struct receipt *a, const struct receipt *b)
{
    require(same_text(a->state, b->state));
    require(names_are_same(&a->managed, &b->managed) && names_are_same(&a->folders, &b->folders));
    require(a->kept.count == b->kept.count && a->hosts.count == b->hosts.count);
    for (size_t i = 0; i < a->kept.count; i++)
        require(same_text(a->kept.items[i].path, b->kept.items[i].path) &&
                same_text(a->kept.items[i].now, b->kept.items[i].now));
    for (size_t i = 0; i < a->hosts.count; i++)
        require_same_host(&a->hosts.items[i], &b->hosts.items[i]);
}

static bool is_inside(const char *path)
{
    return strncmp(path, "etc", 3) == 0 && !strstr(path, "..") && !strstr(path, "//");
}

static void require_sound(const struct receipt *receipt)
{
    require(strlen(receipt->state) == STATE_KEY_SIZE - 1);
    for (size_t i = 0; i < receipt->managed.count; i++)
        require(var_name_has_shape(receipt->managed.items[i]));
    for (size_t i = 0; i < receipt->folders.count; i++)
        require(is_inside(receipt->folders.items[i]));
    for (size_t i = 0; i < receipt->kept.count; i++)
        require(is_inside(receipt->kept.items[i].path) && is_inside(receipt->kept.items[i].now) &&
                strcmp(receipt->kept.items[i].path, receipt->kept.items[i].now) != 0);
}

static void check_receipt(const char *text, size_t length)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(receipt_free) struct receipt *receipt = receipt_parse(text, length, "R", &err);
    scope(strbuf_release) struct strbuf printed = STRBUF_INIT;
    scope(strbuf_release) struct strbuf printed_again = STRBUF_INIT;

    require_contract(receipt ? 0 : -1, &err);
    if (!receipt)
        return;
    require_sound(receipt);
    require(receipt_print(&printed, receipt, &err) == 0);
    require(receipt_is_ours(printed.text, printed.length));
    scope(receipt_free) struct receipt *again =
        receipt_parse(printed.text, printed.length, "R", &err);
    require(again != NULL);
    require_same(receipt, again);
    require(receipt_print(&printed_again, again, &err) == 0);
    require(same_text(printed.text, printed_again.text));
}

static void check_hook(const char *bytes, size_t length)
{
    scope(free_text) char *text = input_text((const uint8_t *)bytes, length);
    scope(names_release) struct names managed = {0};
    char key[STATE_KEY_SIZE] = "unset";

    signature_owner(bytes, length, "/p");
    int found = signature_recall(text, &managed, key);
    scope(free_text) char *state = format_text(STATE_PREFIX "%s_", key);
    require(state != NULL && (found == 0 || found == 1));
    require(found ? strstr(text, state) && strlen(key) == STATE_KEY_SIZE - 1
                  : strcmp(key, "unset") == 0 && !managed.count);
    require(managed.count <= MANAGED_LIMIT);
    for (size_t i = 0; i < managed.count; i++)
        require(var_name_has_shape(managed.items[i]));
}

static void make_prefix(void)
{
    static const char *const folders[] = {"etc", "etc/conda", "etc/conda/deactivate.d"};
    static bool made;

    for (size_t i = 0; !made && i < 3; i++) {
        scope(free_text) char *path = format_text("%s/%s", scratch_folder(), folders[i]);
        require(path && mkdir(path, 0755) == 0);
    }
    made = true;
}

static void check_history(const uint8_t *data, size_t size)
{
    scope(prefix_close) struct prefix site = PREFIX_INIT;
    scope(earlier_release) struct earlier history = {0};
    scope(error_release) struct error err = ERROR_INIT;

    make_prefix();
    scratch_write(RECEIPT_PATH, data, size);
    scratch_write("etc/conda/deactivate.d/env_vars.sh", data, size);
    require(prefix_open(&site, scratch_folder(), &err) == 0);
    int result = earlier_read(&history, &site, &err);
    require_contract(result, &err);
    require(result < 0 || strlen(history.key) == STATE_KEY_SIZE - 1);
    for (size_t i = 0; i < history.managed.count; i++)
        require(var_name_has_shape(history.managed.items[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_receipt((const char *)data, size);
    check_hook((const char *)data, size);
    check_history(data, size);
    return 0;
}
