//! The generated side of the contract: nothing here is written by hand, and no type of it leaves
//! `adapter`.
wit_bindgen::generate!({
    path: "wit",
    world: "guard",
    pub_export_macro: true,
    export_macro_name: "export_judge",
    default_bindings_module: "agenthalt_guard::bindings",
});
