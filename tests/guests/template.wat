;; A whole guard as a core module in the canonical ABI, from which the hostile ones are made: the tests
;; put a few lines in the marked places. As it stands it is well behaved: it declares one counter,
;; `spend`, allows every call, charges 1 when the call is let through, and its reason tells the reading.
;;
;; What the special places do, they do where the called function is named `special`; any other call is
;; judged as above. That shows that a guard serves again after it has failed.
(module
  (;IMPORTS;)
  (memory (export "memory") (;PAGES;))

  ;; The answer to `evaluate`: a result, in it an option, in it a decision.
  (global $answer i32 (i32.const 64))
  (global $answer_is_error i32 (i32.const 64))
  (global $error i32 (i32.const 72))
  (global $is_decision i32 (i32.const 72))
  (global $verdict i32 (i32.const 80))
  (global $reason i32 (i32.const 84))
  (global $risk i32 (i32.const 96))
  (global $details i32 (i32.const 104))
  (global $has_replacement i32 (i32.const 112))
  (global $replacement i32 (i32.const 116))
  (global $charges i32 (i32.const 124))
  (data (i32.const 72) "\01")
  (data (i32.const 84) "\40\02\00\00\07\00\00\00")
  (data (i32.const 124) "\00\01\00\00\01\00\00\00")

  ;; The answer to `configure`: a result, in it a description.
  (global $description i32 (i32.const 160))
  (global $name i32 (i32.const 164))
  (global $verdicts i32 (i32.const 180))
  (global $phases i32 (i32.const 181))
  (global $counters i32 (i32.const 184))
  (data (i32.const 164) "\10\02\00\00\08\00\00\00" "\20\02\00\00\05\00\00\00" "\09\01\00\00" "\40\01\00\00\01\00\00\00")

  ;; The answer to `schema`.
  (global $schema i32 (i32.const 208))
  (data (i32.const 208) "\30\02\00\00\02\00\00\00")

  ;; The charge: 1 to `spend`, when permitted. A second one stands beside it, equal.
  (global $charge i32 (i32.const 256))
  (global $amount i32 (i32.const 264))
  (global $when i32 (i32.const 272))
  (data (i32.const 256) "\00\02\00\00\05\00\00\00" "\01\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
  (data (i32.const 280) "\00\02\00\00\05\00\00\00" "\01\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")

  ;; The counter: `spend`, for all calls, ever, the sum. A second one stands beside it, equal.
  (global $counter i32 (i32.const 320))
  (global $window i32 (i32.const 336))
  (data (i32.const 320) "\00\02\00\00\05\00\00\00")
  (data (i32.const 336) "\03")
  (data (i32.const 360) "\00\02\00\00\05\00\00\00")
  (data (i32.const 376) "\03")

  ;; Texts; those of the special places begin at 1024.
  (data (i32.const 512) "spend")
  (data (i32.const 528) "template")
  (data (i32.const 544) "1.0.0")
  (data (i32.const 560) "{}")
  (data (i32.const 576) "spent 0")
  (global $digit i32 (i32.const 582))
  (;MODULE;)

  ;; Where the next piece of what the host hands over goes.
  (global $free (mut i32) (i32.const 16384))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (;REALLOC;)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  ;; Whether one text is the same as another.
  (func $is (param $a i32) (param $a_size i32) (param $b i32) (param $b_size i32) (result i32)
    (if (i32.ne (local.get $a_size) (local.get $b_size)) (then (return (i32.const 0))))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $a_size)))
        (if (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))) (then (return (i32.const 0))))
        (local.set $a (i32.add (local.get $a) (i32.const 1)))
        (local.set $b (i32.add (local.get $b) (i32.const 1)))
        (local.set $a_size (i32.sub (local.get $a_size) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  ;; Writes a text's place and size.
  (func $text (param $to i32) (param $at i32) (param $size i32)
    (i32.store (local.get $to) (local.get $at))
    (i32.store offset=4 (local.get $to) (local.get $size)))

  (global $config (mut i32) (i32.const 0))
  (global $config_size (mut i32) (i32.const 0))
  (func (export "agenthalt:guard/judge@0.1.0#configure") (param $at i32) (param $size i32) (result i32)
    (global.set $config (local.get $at))
    (global.set $config_size (local.get $size))
    (;CONFIGURE;)
    (global.get $description))

  (func (export "agenthalt:guard/judge@0.1.0#schema") (result i32)
    (;SCHEMA;)
    (global.get $schema))

  (data (i32.const 600) "special")
  (func (export "agenthalt:guard/judge@0.1.0#evaluate") (param $call i32) (result i32)
    ;; The one digit of the first reading; readings lie behind the call's 104 bytes.
    (if (i32.load offset=108 (local.get $call))
      (then
        (i32.store8 (global.get $digit)
          (i32.add
            (i32.const 48)
            (i32.wrap_i64 (i64.rem_u (i64.load offset=16 (i32.load offset=104 (local.get $call))) (i64.const 10)))))))
    (if (call $is
          (i32.load offset=8 (local.get $call)) (i32.load offset=12 (local.get $call)) (i32.const 600) (i32.const 7))
      (then
        (;SPECIAL;)))
    (global.get $answer)))
