# fish completion for conda-gpu, which knows itself what may stand where.

function __conda_gpu_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l option (string match -r -- '^--[a-z-]+=' "$word")
    set -l value (string replace -r -- '^--[a-z-]+=' '' "$word")

    for said in ($words[1] complete -- $words[2..-1] "$word" 2>/dev/null)
        switch $said
            case :files
                string replace -r -- '^' "$option" (__fish_complete_path "$value")
            case :folders
                string replace -r -- '^' "$option" (__fish_complete_directories "$value" '')
            case ':command *'
                set -l number (string replace ':command ' '' -- $said)
                complete -C (string join ' ' -- (string escape -- $words[(math $number + 2)..-1]) "$word")
            case '*'
                echo $said
        end
    end
end

complete -c conda-gpu -f -a '(__conda_gpu_complete)'
