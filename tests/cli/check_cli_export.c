/*
 * conda-gpu export: each format, read by the program that it is for where that is here.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define ONE   "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
#define THREE "GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55"

/* Values that quoting has to get through, as YAML and as printf(1) prints them. */
#define ODD      "X: \"it's a \\\"test\\\" $HOME ${Y} %n \\\\ \\u00e9 `id`\\n\\tend \""
#define ODD_TEXT "it's a \"test\" $HOME ${Y} %n \\ \u00e9 `id`\n\tend |"

/* A reader prints the variable X, and then a |. */
static const struct {
    const char *format;
    const char *needs; /* a command */
    const char *section;
    const char *script; /* the output is in the file `out` */
    const char *prints;
} readers[] = {
    {"sh", "bash", "variables: {" ODD "}", "bash -c '. ./out; printf \"%s|\" \"$X\"'", ODD_TEXT},
    {"sh", "dash", "variables: {" ODD "}", "dash -c '. ./out; printf \"%s|\" \"$X\"'", ODD_TEXT},
    {"fish", "fish", "variables: {" ODD "}",
     "HOME=$PWD fish --no-config -c 'source out; printf \"%s|\" \"$X\"'", ODD_TEXT},
    {"jupyter", "python3", "variables: {" ODD "}",
     "python3 -c 'import json, string\n"
     "v = json.load(open(\"out\"))[\"env\"][\"X\"]\n"
     "print(string.Template(v).safe_substitute({\"Y\": \"no\", \"HOME\": \"no\"}), end=\"|\")'",
     ODD_TEXT},
    {"json", "jq", "variables: {" ODD "}",
     "jq -j '.plan.variables[] | select(.name == \"X\") | .value, \"|\"' out", ODD_TEXT},
    {"json", "jq", "devices: 3", "jq -j '.plan.devices[].memory, \"|\"' out", "85899345920|"},
    {"dotenv", "python3", "variables: {X: 'a b # \" $HOME %n `id` '}",
     "PATH=/usr/bin:$PATH\n" /* a distribution's modules are its own python3's */
     "python3 -c 'import dotenv' 2>/dev/null || { echo absent; exit; }\n"
     "python3 -c 'import dotenv; print(dotenv.dotenv_values(\"out\")[\"X\"], end=\"|\")'",
     "a b # \" $HOME %n `id` |"},
    {"dotenv", "dash", "variables: {X: 'a b # \" $HOME %n `id` '}",
     "dash -c '. ./out; printf \"%s|\" \"$X\"'", "a b # \" $HOME %n `id` |"},
    {"dotenv", "dash", "variables: {X: ''}", "dash -c '. ./out; printf \"%s|\" \"$X\"'", "|"},
    {"systemd", "systemd-analyze", "variables: {" ODD ", Y: null}",
     "mkdir x.service.d; cp out x.service.d/gpu.conf\n"
     "printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\n' >x.service\n"
     "SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no ./x.service 2>&1 | grep -i "
     "gpu.conf",
     ""},
    /* What lists are put into. */
    {"sh", "dash", "variables: {X: {prepend: '${CONDA_PREFIX}/a b'}}",
     "dash -c 'X=c:d; . ./out; . ./out; printf \"%s|\" \"$X\"'", "@/a b:c:d|"},
    {"sh", "bash", "variables: {X: {append: 'a b', separator: ', '}}",
     "bash -c 'set -u; . ./out; . ./out; printf \"%s|\" \"$X\"; X=\"c,d\"; . ./out; printf \"%s|\" "
     "\"$X\"'",
     "a b|c,d, a b|"},
    {"fish", "fish", "variables: {LD_LIBRARY_PATH: {prepend: '/a b'}}",
     "LD_LIBRARY_PATH=c:d HOME=$PWD fish --no-config -c 'source out; source out; printenv "
     "LD_LIBRARY_PATH'",
     "/a b:c:d\n"},
    {"fish", "fish", "variables: {X: {append: 'a b', separator: ', '}}",
     "HOME=$PWD fish --no-config -c 'set -e X; source out; source out; printenv X; set -gx X c; "
     "source out; printenv X'",
     "a b\nc, a b\n"},
    {"sh", "dash", "variables: {X: null}",
     "X=1 dash -c 'set -eu; . ./out; printf \"%s|\" \"${X-none}\"'", "none|"},
    {"fish", "fish", "variables: {X: null}",
     "X=1 HOME=$PWD fish --no-config -c 'source out; set -q X; or echo none'", "none\n"},
};

static void apply_section(const char *section)
{
    scope(free_text) char *text = format_text("gpu: {%s}\n", section);

    sandbox_write(&box, "environment.yml", text);
    struct outcome got = on_prefix("apply", "-q", NULL); /* $HOME is noted */
    ck_assert_str_eq(got.err, "");
    outcome_free(&got);
}

START_TEST(read_by_its_target)
{
    if (!program_present(readers[_i].needs)) {
        test_skip(true, "export --format %s: no %s", readers[_i].format, readers[_i].needs);
        return;
    }
    apply_section(readers[_i].section);
    scope(free_text) char *script =
        format_text("\"$CONDA_GPU\" export -p envs/pt --format %s >out || exit\n%s",
                    readers[_i].format, readers[_i].script);
    struct outcome got = run_script(script);
    ck_assert_str_eq(got.err, "");
    if (strcmp(got.out, "absent\n") == 0)
        test_skip(true, "export --format %s: no module for python3", readers[_i].format);
    else
        check_text(got.out, readers[_i].prints);
    outcome_free(&got);
}
END_TEST

/* The whole output. */
static const struct {
    const char *format;
    const char *section;
    const char *prints;
} outputs[] = {
    {"docker", "devices: [1, 3]", "--gpus '\"device=" ONE "," THREE "\"'\n"},
    {"docker", "devices: all", "--gpus all\n"},
    {"docker", "devices: none", "--env NVIDIA_VISIBLE_DEVICES=void\n"},
    {"cdi", "devices: [1, 3]", "nvidia.com/gpu=" ONE "\nnvidia.com/gpu=" THREE "\n"},
    {"cdi", "devices: all", "nvidia.com/gpu=all\n"},
    {"cdi", "devices: none", ""},
    {"dotenv", "devices: [1, 3]", "CUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES=1,3\n"},
    {"dotenv", "devices: all", "CUDA_DEVICE_ORDER=PCI_BUS_ID\n"},
    {"dotenv", "variables: {X: '${CONDA_PREFIX}/${USER}'}", "X=@/\n"},
    {"systemd", "devices: [1, 3]",
     "[Service]\nEnvironment=\"CUDA_DEVICE_ORDER=PCI_BUS_ID\"\n"
     "Environment=\"CUDA_VISIBLE_DEVICES=" ONE "," THREE "\"\n"},
    {"systemd", "devices: all",
     "[Service]\nEnvironment=\"CUDA_DEVICE_ORDER=PCI_BUS_ID\"\n"
     "UnsetEnvironment=CUDA_VISIBLE_DEVICES\n"},
    {"systemd", "devices: none",
     "[Service]\nEnvironment=\"CUDA_DEVICE_ORDER=PCI_BUS_ID\"\n"
     "Environment=\"CUDA_VISIBLE_DEVICES=-1\"\n"},
    {"jupyter", "devices: [1, 3]",
     "{\n  \"env\": {\n    \"CUDA_DEVICE_ORDER\": \"PCI_BUS_ID\",\n"
     "    \"CUDA_VISIBLE_DEVICES\": \"1,3\"\n  }\n}\n"},
    {"sh", "devices: all",
     "export CUDA_DEVICE_ORDER='PCI_BUS_ID'\nunset -v CUDA_VISIBLE_DEVICES\n"},
};

START_TEST(output)
{
    apply_section(outputs[_i].section);
    struct outcome got = on_prefix("export", "--format", outputs[_i].format);
    ck_assert_str_eq(got.err, "");
    check_text(got.out, outputs[_i].prints);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

START_TEST(of_some_devices)
{
    apply_section("devices: [1, 3]");
    struct outcome got =
        conda_gpu(&box, NULL, "export", "--format", "docker", "-p", "envs/pt", "--gpus", "3", NULL);
    ck_assert_str_eq(got.out, "--gpus '\"device=" THREE "\"'\n");
    outcome_free(&got);
}
END_TEST

/* What a format cannot hold. */
static const struct {
    const char *format;
    const char *section;
    const char *message; /* what follows "the format F cannot hold X: "; NULL: anything */
} refusals[] = {
    {"dotenv", "X: null", "it has no way to unset a variable"},
    {"jupyter", "X: null", "it has no way to unset a variable"},
    {"dotenv", "X: {prepend: a}", "it cannot add to a value that is there before"},
    {"jupyter", "X: {append: a}", "it cannot add to a value that is there before"},
    {"systemd", "X: {append: a}", "it cannot add to a value that is there before"},
    {"dotenv", "X: \"a\\nb\"", "its value has a control character, such as a line end"},
    {"dotenv", "X: \"it's\"", "readers of such files do not agree on a quote within quotes"},
    {"dotenv", "X: 'a\\b'", "readers of such files do not agree on a backslash"},
    {"dotenv", "X: '${OTHER}'", "readers of such files would replace the ${...} in its value"},
    {"systemd", "X: \"a\\x01b\"", "its value has a control character"},
};

START_TEST(refusal)
{
    scope(free_text) char *section = format_text("variables: {%s}", refusals[_i].section);
    scope(free_text) char *wanted = format_text(
        "the format %s cannot hold X: %s; 'conda-gpu exec' can run the program with it\n",
        refusals[_i].format, refusals[_i].message);
    scope(free_text) char *text = format_text("gpu: {%s}\n", section);

    sandbox_write(&box, "environment.yml", text);
    struct outcome applied = on_prefix("apply", "-q", NULL);
    outcome_free(&applied);
    struct outcome got = on_prefix("export", "--format", refusals[_i].format);
    ck_assert_str_eq(got.err, wanted);
    ck_assert_str_eq(got.out, "");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

static const struct {
    const char *format;
    int status;
    const char *message;
} mistakes[] = {
    {"jsn", 2, "unknown format 'jsn'; did you mean 'json'?\n"},
    {"x", 2, "unknown format 'x'; known: sh, fish, dotenv, systemd, jupyter, docker, cdi, json\n"},
    {"docker", 2,
     "the format docker tells which GPUs there are, and the section has no 'devices'\n"},
    {"cdi", 2, "the format cdi tells which GPUs there are, and the section has no 'devices'\n"},
};

START_TEST(mistake)
{
    apply_section("variables: {X: 1}");
    struct outcome got = on_prefix("export", "--format", mistakes[_i].format);
    ck_assert_str_eq(got.err, mistakes[_i].message);
    ck_assert_int_eq(got.status, mistakes[_i].status);
    outcome_free(&got);
}
END_TEST

/* ---- Files that are kept --------------------------------------------------------------------- */

#define BEGIN  "# >>> conda-gpu @ >>> from its environment.yml, by 'conda-gpu apply'\n"
#define END    "# <<< conda-gpu <<<\n"
#define TWO    BEGIN "CUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES=1,3\n" END
#define KERNEL "'{\"argv\": [\"p\"], \"env\": {\"A\": \"1\"}, \"metadata\": {\"debugger\": true}}'"

/* Lines of sh, with what they print. In them $dotenv and $jupyter are `export --output .env` and
   `... k.json` of the environment, and `use X` applies a section with `devices: X`. */
static const struct {
    const char *lines;
    const char *prints;
} files[] = {
    {"$dotenv; cat .env", TWO},
    {"umask 027; $dotenv; stat -c %a .env", "640\n"},
    {"printf 'A=1\nB=2\n' >.env; chmod 600 .env; $dotenv; cat .env; stat -c %a .env",
     "A=1\nB=2\n" TWO "600\n"},
    {"printf A=1 >.env; $dotenv; cat .env", "A=1\n" TWO},
    {"$dotenv; echo C=3 >>.env; $dotenv; cat .env", TWO "C=3\n"},
    {"echo A=1 >real; ln -s real .env; $dotenv; readlink .env; cat real", "real\nA=1\n" TWO},
    /* apply renews, and says so before. */
    {"$dotenv; use 2; cat .env",
     BEGIN "CUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES=2\n" END},
    {"$dotenv; echo 'gpu: {devices: 2}' >environment.yml\n"
     "\"$CONDA_GPU\" apply -d -p envs/pt | grep -o 'write .*[.]env' | sed 's/ .*[/]/ /'; cat .env",
     "write .env\n" TWO},
    {"$dotenv; \"$CONDA_GPU\" apply -q --check -p envs/pt; echo $?; sed -i s/1,3/7/ .env\n"
     "\"$CONDA_GPU\" apply -q --check -p envs/pt; echo $?; use '[1, 3]'; cat .env",
     "0\n1\n" TWO},
    /* Somebody took it out, or away: that stays so. */
    {"$dotenv; echo A=1 >.env; use 2 2>/dev/null; cat .env", "A=1\n"},
    {"$dotenv; rm .env; use 2 2>/dev/null; ls -A .env 2>/dev/null", ""},
    /* remove */
    {"$dotenv; gone; ls -A .env 2>/dev/null", ""},
    {"echo A=1 >.env; $dotenv; echo B=2 >>.env; gone; cat .env", "A=1\nB=2\n"},
    {"printf %s " KERNEL
     " >k.json; cp k.json a; $jupyter; gone; jq -S . k.json >b; jq -S . a | cmp "
     "- b",
     ""},
    /* kernel.json */
    {"printf %s " KERNEL " >k.json; $jupyter; jq -c .env k.json",
     "{\"A\":\"1\",\"CUDA_DEVICE_ORDER\":\"PCI_BUS_ID\",\"CUDA_VISIBLE_DEVICES\":\"1,3\"}\n"},
    {"printf %s " KERNEL " >k.json; $jupyter; use all; jq -c .env k.json",
     "{\"A\":\"1\",\"CUDA_DEVICE_ORDER\":\"PCI_BUS_ID\"}\n"},
    /* Both are known. */
    {"printf %s " KERNEL " >k.json; $jupyter; $dotenv; $dotenv; grep -c format: "
     "envs/pt/etc/conda/conda-gpu.yml",
     "3\n"},
    {"$dotenv; \"$CONDA_GPU\" apply -p envs/pt | sed 's/ .*//'", "unchanged\n"},
};

static const char files_begin[] =
    "dotenv=\"$CONDA_GPU export -p envs/pt --format dotenv -q --output .env\"\n"
    "jupyter=\"$CONDA_GPU export -p envs/pt --format jupyter -q --output k.json\"\n"
    "use() { echo \"gpu: {devices: $1}\" >environment.yml; \"$CONDA_GPU\" apply -q -p envs/pt; }\n"
    "gone() { \"$CONDA_GPU\" remove -q -p envs/pt; }\n"
    "use '[1, 3]'\n";

START_TEST(file)
{
    scope(free_text) char *script = format_text("%s%s", files_begin, files[_i].lines);

    if (strstr(script, "jq ") && !program_present("jq")) {
        test_skip(true, "a kernel.json that is kept: no jq");
        return;
    }
    struct outcome got = run_script(script);
    ck_assert_str_eq(got.err, "");
    check_text(got.out, files[_i].prints);
    outcome_free(&got);
}
END_TEST

/* What is not kept, and why. */
static const struct {
    const char *lines;
    const char *message;
    int status;
} left[] = {
    {"echo 'export CUDA_VISIBLE_DEVICES=7' >.env; $dotenv",
     "it has a line of its own that sets CUDA_VISIBLE_DEVICES; remove that line, since the plan "
     "says it",
     4},
    {"echo '{\"argv\": [], \"env\": {\"CUDA_DEVICE_ORDER\": \"x\"}}' >k.json; $jupyter",
     "its env sets CUDA_DEVICE_ORDER already; remove it there, since the plan says it", 4},
    {"echo '# >>> conda-gpu /other >>> x' >.env; $dotenv",
     "it is kept for another environment, /other; 'conda-gpu remove -p' with that path takes its "
     "part out",
     4},
    {"echo '{' >k.json; $jupyter", "'}' expected", 4},
    {"echo '{}' >k.json; $jupyter", "it is no kernel.json: it has no argv", 4},
    {"echo '{\"argv\": []}' >k.json; use '1, variables: {X: null}'; $jupyter",
     "it has no way to unset a variable", 2},
    {"$dotenv --output envs", "cannot read: ", 4},
    {"$dotenv --format sh", "no file is kept in the format sh, only in dotenv and jupyter", 2},
    {"$dotenv --gpus 1", "exclude each other", 2},
};

START_TEST(left_alone)
{
    scope(free_text) char *run = format_text("%s\n%s\necho $?", files_begin, left[_i].lines);

    struct outcome got = run_script(run);
    scope(free_text) char *status = format_text("%d\n", left[_i].status);
    ck_assert_str_eq(got.out, status);
    ck_assert_msg(strstr(got.err, left[_i].message) != NULL, "%s", got.err);
    outcome_free(&got);
    struct outcome known = run_script("grep -c exports envs/pt/etc/conda/conda-gpu.yml");
    ck_assert_str_eq(known.out, "0\n");
    outcome_free(&known);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli: export");
    TCase *tcase = tcase_create("export");

    tcase_add_checked_fixture(tcase, one_prefix_open, one_prefix_close);
    tcase_add_loop_test(tcase, read_by_its_target, 0, sizeof readers / sizeof *readers);
    tcase_add_loop_test(tcase, output, 0, sizeof outputs / sizeof *outputs);
    tcase_add_test(tcase, of_some_devices);
    tcase_add_loop_test(tcase, refusal, 0, sizeof refusals / sizeof *refusals);
    tcase_add_loop_test(tcase, mistake, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_loop_test(tcase, file, 0, sizeof files / sizeof *files);
    tcase_add_loop_test(tcase, left_alone, 0, sizeof left / sizeof *left);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
