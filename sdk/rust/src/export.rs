//! How a guard becomes a component. On other targets than wasm the macro only checks the types.

/// Exports a guard: the crate becomes its component when it is built as a `cdylib` for
/// `wasm32-unknown-unknown`.
///
/// ```
/// # use agenthalt_guard::{Call, Decision, Error, Guard, Problems, Readings};
/// # #[derive(serde::Deserialize)]
/// # struct Settings {}
/// # struct MyGuard;
/// # impl Guard for MyGuard {
/// #     type Settings = Settings;
/// #     const NAME: &'static str = "my-guard";
/// #     fn configure(_: Settings) -> Result<Self, Problems> { Ok(MyGuard) }
/// #     fn evaluate(&self, _: &Call, _: &Readings) -> Result<Option<Decision>, Error> { Ok(None) }
/// # }
/// // With the schema as a text, which keeps the component small:
/// agenthalt_guard::export!(MyGuard, schema = r#"{"type":"object"}"#);
/// ```
///
/// Without `schema` it is made from the settings type, which then implements `schemars::JsonSchema`
/// (feature `schema`): `agenthalt_guard::export!(MyGuard);`
#[macro_export]
macro_rules! export {
    ($guard:ty) => {
        $crate::export!($guard, schema = &$crate::schema_text::<<$guard as $crate::Guard>::Settings>());
    };
    ($guard:ty, schema = $schema:expr) => {
        const _: () = {
            struct ExportedGuard;

            impl ExportedGuard {
                fn schema() -> ::std::string::String {
                    ::std::string::String::from($schema)
                }
            }

            #[cfg(not(target_arch = "wasm32"))]
            const _: fn() -> ::std::string::String = ExportedGuard::schema;

            $crate::export_component!(ExportedGuard, $guard);
        };
    };
}

/// The part of [`export!`] that only a component needs.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_component {
    ($exported:ident, $guard:ty) => {
        const _: fn(<$guard as $crate::Guard>::Settings) -> ::std::result::Result<$guard, $crate::Problems> =
            <$guard as $crate::Guard>::configure;
    };
}

/// The part of [`export!`] that only a component needs.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! export_component {
    ($exported:ident, $guard:ty) => {
        #[global_allocator]
        static ARENA: $crate::private::Arena = $crate::private::Arena::new();

        impl $crate::private::Exported for $exported {
            type Guard = $guard;
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");

            fn schema() -> ::std::string::String {
                $exported::schema()
            }
        }

        type Component = $crate::private::Adapter<$exported>;
        $crate::private::bindings::export_judge!(Component with_types_in $crate::private::bindings);
    };
}
