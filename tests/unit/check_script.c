/*
 * The modules words, script and effects: what a script of somebody else's does to variables, read
 * and not run. Where nothing is conditional, a real shell runs the script too, and must end with
 * the values that were read off it.
 */
#include "support/sandboxed.h"

#include "base/scope.h"
#include "hook/script.h"
#include "section/vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was read, a line each: LINE, ? if only sometimes, and NAME=VALUE, -NAME, <FILE or the
   command. In values, $NAME is a variable and {…} another expansion. */
struct reading {
    const char *extension;
    const char *script;
    const char *effects;
};

static const struct reading readings[] = {
    {"sh", "export X=1\n", "1 X=1\n"},
    {"sh", "X=1\n", "1 X=1\n"},
    {"sh", "X=1; export X", "1 X=1\n1 export X\n"},
    {"sh", "export X='a b' Y=\"c d\" ; Z=e\\ f\n", "1 X=a b\n1 Y=c d\n1 Z=e f\n"},
    {"sh", "export X=", "1 X=\n"},
    {"sh", "X=''", "1 X=\n"},
    {"sh", "export X=\"a\\\"b\\$c\\n\"'\"$d'\n", "1 X=a\"b$c\\n\"$d\n"},
    {"sh", "\n# export X=1\n  export Y=2 # export Z=3\n", "3 Y=2\n"},
    {"sh", "export X=a#b\n", "1 X=a#b\n"},
    {"sh", "export X=$Y:${Y}/c\n", "1 X=$Y:$Y/c\n"},
    {"sh", "export X=\"a:$X\"\n", "1 X=a:$X\n"},
    {"sh", "export X=a${X:+:${X}}\n", "1 X=a{${X:+:${X}}}\n"},
    {"sh", "export X=$(echo 'a)b' \")\" $(c))d Y=`e f`\n",
     "1 X={$(echo 'a)b' \")\" $(c))}d\n1 Y={`e f`}\n"},
    {"sh", "export X=~/a Y=b~ Z='~'\n", "1 X={~}/a\n1 Y=b~\n1 Z=~\n"},
    {"sh", "export X=a\\\nb\nY=1\n", "1 X=ab\n3 Y=1\n"},
    {"sh", "export X='a\nb'\nY=1\n", "1 X=a\nb\n3 Y=1\n"},
    {"sh", "X+=b", "1 X=$Xb\n"},
    {"sh", "unset X Y; unset -v Z; unset -f X\n", "1 -X\n1 -Y\n1 -Z\n1 unset -f X\n"},
    {"sh", "export -n X; export -p; typeset -x X=1; declare +x Y; readonly Z=2\n",
     "1 -X\n1 export -p\n1 X=1\n1 -Y\n1 Z=2\n"},
    {"sh", "X=1 command\nX=1 Y=2\n", "1 X=1 command\n2 X=1\n2 Y=2\n"},
    {"sh", "echo 'export X=1' \"; export X=2\"\n", "1 echo 'export X=1' \"; export X=2\"\n"},
    {"sh", "cat <<END >/dev/null\nexport X=1\nEND\nexport Y=1\n", "1 cat\n4 Y=1\n"},
    {"sh", "cat <<-'A' <<B >/dev/null\nexport X=1\n\tA\nX=2\nB\nexport Y=1\n", "1 cat\n6 Y=1\n"},
    {"sh", ": <<<EOF\nexport X=1\n", "1 :\n2 X=1\n"},
    {"sh", "export X=1 2>/dev/null >&2\n", "1 X=1\n"},
    {"sh", ". ./f; source \"$CONDA_PREFIX/b\"", "1 <./f\n1 <$CONDA_PREFIX/b\n"},
    {"sh", "if [ a = a ]; then\n export X=1\nelif b; then X=2; else unset X\nfi\nY=1\n",
     "1? if [ a = a ]\n2? X=1\n3? elif b\n3? X=2\n3? -X\n5 Y=1\n"},
    {"sh", "true && X=1\ntrue ||\n X=2\nX=3", "1 true\n1? X=1\n2 true\n3? X=2\n4 X=3\n"},
    {"sh", "f() {\n X=1\n}\nY=1\n", "1 f\n2? X=1\n4 Y=1\n"},
    {"sh", "( X=1 )\necho | X=2\nY=1\n", "1? X=1\n2? echo\n2? X=2\n3 Y=1\n"},
    {"sh", "for x in a; do X=1; done\nwhile false; do X=2; done\ncase a in a) X=3 ;; esac\nY=1\n",
     "1? X=1\n2? while false\n2? X=2\n3? X=3\n4 Y=1\n"},
    {"sh", "X=(a b)\nY=1\n", "1 X={(a b)}\n2 Y=1\n"},
    {"sh", "export X=$'a\\nb'\n", "1 X={$'a\\nb'}\n"},
    {"fish", "set -gx X 1\n", "1 X=1\n"},
    {"fish", "set -x X a b; set --export --global FOO_PATH a b\n", "1 X=a b\n1 FOO_PATH=a:b\n"},
    {"fish", "set -gx X 'a\\'b\\\\c\\n' \"d\\$e\\\"\\x\"\n", "1 X=a'b\\c\\n d$e\"\\x\n"},
    {"fish", "set -gx X $CONDA_PREFIX/lib:$Y\n", "1 X=$CONDA_PREFIX/lib:$Y\n"},
    {"fish", "set -gx X (echo a b)c $Y[1]\n", "1 X={(echo a b)}c {$Y[1]}\n"},
    {"fish", "set -e X; set --erase Y; set -gu Z\n", "1 -X\n1 -Y\n1 -Z\n"},
    {"fish", "set -l X 1; set -q X; set -S X\n", "1 set -l X 1\n1 set -q X\n1 set -S X\n"},
    {"fish", "set -gxp FOO_PATH a; set -gxa FOO_PATH b\n",
     "1 FOO_PATH=a:$FOO_PATH\n1 FOO_PATH=$FOO_PATH:b\n"},
    {"fish", "export X=1\nset -gx Y\n", "1 X=1\n2 Y=\n"},
    {"fish", "if true\n set -gx X 1\nelse if true\n set -e X\nend\nset -gx Y 1\n",
     "1? if true\n2? X=1\n3? else if true\n4? -X\n6 Y=1\n"},
    {"fish", "function f\n set -gx X 1\nend; begin; set -gx Y 1; end\nset -gx Z 1 # set -e Z\n",
     "2? X=1\n3? Y=1\n4 Z=1\n"},
    {"fish", "test a = a; and set -gx X 1; or set -gx X 2\nset -gx Y 1\n",
     "1 test a = a\n1? X=1\n1? X=2\n2 Y=1\n"},
    {"csh", "setenv X 1\n", "1 X=1\n"},
    {"csh", "setenv X 'a b'; setenv Y \"c $CONDA_PREFIX\"; setenv Z\n",
     "1 X=a b\n1 Y=c $CONDA_PREFIX\n1 Z=\n"},
    {"csh", "setenv X a:${CONDA_PREFIX}:$Y:q\n", "1 X=a:$CONDA_PREFIX:$Y\n"},
    {"csh", "setenv X 'a\\!b\\c'\n", "1 X=a!b\\c\n"},
    {"csh", "setenv X 'a\\\\!b'\n", "1 X=a\\!b\n"},
    {"csh", "unsetenv X Y\nset X = 1\n", "1 -X\n1 -Y\n2 set X = 1\n"},
    {"csh",
     "if ($?X) setenv X 1\nif ( $?Y == 0 && 1 ) then\n setenv Y 1\nelse if (1) then\n setenv Y 2\n"
     "else\n setenv Y 3\nendif\nsetenv Z 1\n",
     "1? X=1\n3? Y=1\n5? Y=2\n7? Y=3\n9 Z=1\n"},
    {"csh", "foreach i (a b)\n setenv X $i\nend\nsetenv Y 1\n", "2? X=$i\n4 Y=1\n"},
    {"csh", "source /etc/f\n", "1 </etc/f\n"},
};

/* What no shell runs to its end, and fish without its files otherwise. */
static const struct reading broken[] = {
    {"fish", "set -Ux X 2", "1 set -Ux X 2\n"},
    {"sh", "export X='a", "1 X=a\n"},
    {"sh", "export X=\"a$", "1 X=a$\n"},
    {"sh", "\\", "1 \\\n"},
    {"sh", "<<", ""},
    {"sh", ") } fi done esac\nX=1\n", "2 X=1\n"},
};

static void add_word(struct strbuf *out, const struct word *word)
{
    static const char *const shapes[] = {"%s", "$%s", "{%s}"};

    for (size_t i = 0; i < word->count; i++)
        strbuf_addf(out, shapes[word->items[i].kind], strbuf_text(&word->items[i].text));
}

static void add_effect(struct strbuf *out, const struct effect *effect)
{
    strbuf_addf(out, "%zu%s ", effect->line, effect->sometimes ? "?" : "");
    if (effect->kind == EFFECT_OTHER)
        strbuf_adds(out, effect->text);
    if (effect->kind == EFFECT_UNSET)
        strbuf_addf(out, "-%s", effect->name);
    if (effect->kind == EFFECT_SOURCE)
        strbuf_addc(out, '<');
    if (effect->kind == EFFECT_SET)
        strbuf_addf(out, "%s=", effect->name);
    add_word(out, &effect->value);
    strbuf_addc(out, '\n');
}

static void check_effects(const struct reading *reading)
{
    scope(script_release) struct script script = {0};
    scope(strbuf_release) struct strbuf got = STRBUF_INIT;

    ck_assert_int_eq(script_read(&script, reading->extension, reading->script), 0);
    for (size_t i = 0; i < script.count; i++)
        add_effect(&got, &script.items[i]);
    ck_assert_str_eq(strbuf_text(&got), reading->effects);
}

START_TEST(effects_are_read)
{
    check_effects(&readings[_i]);
}
END_TEST

START_TEST(broken_scripts_are_read)
{
    check_effects(&broken[_i]);
}
END_TEST

START_TEST(empty_scripts)
{
    static const struct {
        const char *extension, *script;
        bool empty;
    } scripts[] = {
        {"sh", "", true},
        {"sh", "\n \t\n", true},
        {"sh", "#!/bin/sh\n\n  # export X=1", true},
        {"sh", ":\n", false},
        {"sh", "# one\n\nX=1\n", false},
        {"fish", "# fish\n;\n", true},
        {"fish", "set -q X\n", false},
        {"csh", "#\n", true},
        {"csh", "if (1) then\nsetenv X 1\nendif\n", false},
        {"csh", "if (-e a) then\nendif\n", true},
    };

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        ck_assert_msg(script_is_empty(scripts[i].extension, scripts[i].script) == scripts[i].empty,
                      "%s", scripts[i].script);
}
END_TEST

/* ---- Against real shells --------------------------------------------------------------------- */

static const char *const variables[] = {"X", "Y", "Z", "FOO_PATH", "CONDA_PREFIX"};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* Values as the effects make them; NULL: unset. False where one cannot be told. */
static bool follow(const struct script *script, char *values[VARIABLES])
{
    for (size_t i = 0; i < script->count; i++) {
        const struct effect *effect = &script->items[i];
        scope(strbuf_release) struct strbuf value = STRBUF_INIT;
        if (effect->sometimes || effect->kind == EFFECT_SOURCE)
            return false;
        for (size_t k = 0; k < effect->value.count; k++) {
            const struct part *part = &effect->value.items[k];
            if (part->kind == PART_OTHER)
                return false;
            if (part->kind == PART_TEXT)
                strbuf_adds(&value, strbuf_text(&part->text));
            for (size_t v = 0; part->kind == PART_VARIABLE && v < VARIABLES; v++)
                if (strcmp(variables[v], strbuf_text(&part->text)) == 0 && values[v])
                    strbuf_adds(&value, values[v]);
        }
        for (size_t v = 0; effect->name && v < VARIABLES; v++)
            if (strcmp(variables[v], effect->name) == 0) {
                free(values[v]);
                values[v] = effect->kind == EFFECT_SET ? strdup(strbuf_text(&value)) : NULL;
            }
    }
    return true;
}

static const char *value_in(const struct outcome *got, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = got->out; at < got->out + got->out_length; at += strlen(at) + 1)
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

/* The shell that reads such a script. */
static const char *const *shell_of(const struct reading *reading)
{
    static const char *const fish[] = {"fish", "--no-config", "-c", "source script; env -0", NULL};
    static const char *const tcsh[] = {"tcsh", "-f", "script", NULL};
    static const char *const bash[] = {"bash", "--norc", "script", NULL};

    return strcmp(reading->extension, "fish") == 0  ? fish
           : strcmp(reading->extension, "csh") == 0 ? tcsh
                                                    : bash;
}

static void check_values(const struct reading *reading, char *const *values)
{
    const char *const *shell = shell_of(reading);
    scope(free_text) char *home = format_text("HOME=%s/home", box.root);
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                               home,
                               "LC_ALL=C.UTF-8",
                               "X=old",
                               "Y=y",
                               "Z=z",
                               "FOO_PATH=p",
                               "CONDA_PREFIX=/pre",
                               NULL};
    scope(free_text) char *script =
        format_text("%s\n%s", reading->script, strcmp(shell[0], "fish") == 0 ? "" : "env -0\n");

    sandbox_write(&box, "script", script);
    sandbox_write(&box, "f", "");
    struct outcome got = sandbox_run(&box, shell, env, NULL);
    for (size_t v = 0; v < VARIABLES; v++) {
        const char *value = value_in(&got, variables[v]);
        bool same = value && values[v] ? strcmp(value, values[v]) == 0 : value == values[v];
        ck_assert_msg(same, "%s: %s is '%s', not '%s'\n%s", reading->script, variables[v],
                      value ? value : "unset", values[v] ? values[v] : "unset", got.err);
    }
    outcome_free(&got);
}

START_TEST(shell_agrees)
{
    const struct reading *reading = &readings[_i];
    scope(script_release) struct script script = {0};
    char *values[VARIABLES] = {strdup("old"), strdup("y"), strdup("z"), strdup("p"),
                               strdup("/pre")};

    ck_assert_int_eq(script_read(&script, reading->extension, reading->script), 0);
    if (!program_present(shell_of(reading)[0]))
        test_skip(true, "scripts read as %s reads them: it is not installed", shell_of(reading)[0]);
    else if (follow(&script, values))
        check_values(reading, values);
    for (size_t v = 0; v < VARIABLES; v++)
        free(values[v]);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("script");
    TCase *tests = tcase_create("");

    sandboxed(tests);
    LOOP(tests, effects_are_read, readings);
    LOOP(tests, broken_scripts_are_read, broken);
    tcase_add_test(tests, empty_scripts);
    for (int i = 0; i < (int)(sizeof readings / sizeof *readings); i++)
        if (shell_wanted(shell_of(&readings[i])[0]))
            tcase_add_loop_test(tests, shell_agrees, i, i + 1);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
