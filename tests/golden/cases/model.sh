# A network for faces is taken only when it is the one of its manifest; where to is never guessed.
unset ANTIGONE_MODELS ANTIGONE_STORE
printf 'no network' >network.onnx
antigone model install YuNet network.onnx -d models
echo "$?"
antigone model install YuNet network.onnx
echo "$?"
antigone model install MobileFaceNet -d models
echo "$?"
printf '{"schema": "antigone-face-model/1", "kind": "judge"}' >manifest.json
antigone model install manifest.json network.onnx -d models
echo "$?"
ls
