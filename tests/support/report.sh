# shellcheck shell=bash
# What shell tests share, as support.h is what C tests do: they source it, call what is here, and end
# with `report`. A test counts what it checks, so that tests/run can add it up.

passed=0 failed=0 skipped=0 could=0
scratch=$(mktemp -d) # a folder for the test's files
remove_scratch() {
  rm -rf "$scratch"
}
trap remove_scratch EXIT
trap 'exit 130' HUP INT TERM

# check WHAT COMMAND...: the command must succeed and say nothing; else WHAT has failed.
check() {
  local what=$1
  shift
  if "$@" >"$scratch/out" 2>&1 && [ ! -s "$scratch/out" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $what"
    cat "$scratch/out"
  fi
}

# skip WHY [1]: one test cannot run here. With the 1, a package would give the machine what is missing,
# which .ci/run takes as a failure.
skip() {
  skipped=$((skipped + 1)) could=${2-$could}
  echo "skipped: $1"
}

# have COMMAND WHAT: whether the command is there; otherwise WHAT is skipped.
have() {
  command -v "$1" >/dev/null && return
  skip "$2: $1 is not installed" 1
  return 1
}

# wanted SHELL: SHELLS="dash fish" takes only these, SHELLS="! dash" all but these.
wanted() {
  case " ${SHELLS-} " in
    '  ') true ;;
    *' ! '*) [[ " $SHELLS " != *" $1 "* ]] ;;
    *) [[ " $SHELLS " == *" $1 "* ]] ;;
  esac
}

# report: tells tests/run, and ends the test.
report() {
  echo "$passed $failed $skipped $could" >>"${TEST_RESULTS:-/dev/null}"
  [ "$failed" = 0 ]
  exit
}
