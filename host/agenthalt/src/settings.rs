//! The settings of the six built-in guards, one type each: the keys, units and defaults of a policy's text.
//! They decide nothing; the guards check them again when a policy is loaded.
//!
//! ```
//! use agenthalt::PolicyEngine;
//! use agenthalt::settings::{Budget, RateLimit};
//!
//! let engine = PolicyEngine::builder()
//!     .guard(Budget { max_daily_spend: Some("10".parse()?), ..Budget::default() })
//!     .guard(RateLimit { max_calls_per_minute: Some(20), ..RateLimit::default() })
//!     .build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod deletion;
mod purchase;
mod rate_limit;
mod scope;
mod sensitive_data;

use std::collections::BTreeMap;

use agenthalt_core::amount::Amount;
use agenthalt_json::{Json, Object};

pub use budget::{Budget, Per};
pub use deletion::Deletion;
pub use purchase::Purchase;
pub use rate_limit::RateLimit;
pub use scope::Scope;
pub use sensitive_data::SensitiveData;

/// What a setting is in a policy.
pub(crate) trait Setting {
    fn json(self) -> Json;
}

impl Setting for bool {
    fn json(self) -> Json {
        self.into()
    }
}

impl Setting for u32 {
    fn json(self) -> Json {
        u64::from(self).into()
    }
}

impl Setting for u64 {
    fn json(self) -> Json {
        self.into()
    }
}

impl Setting for String {
    fn json(self) -> Json {
        self.into()
    }
}

impl Setting for Amount {
    fn json(self) -> Json {
        self.into()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn json(self) -> Json {
        self.map_or(Json::Null, Setting::json)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn json(self) -> Json {
        Json::Array(self.into_iter().map(Setting::json).collect())
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn json(self) -> Json {
        let mut object = Object::new();
        for (name, value) in self {
            object.insert(name, value.json());
        }
        Json::Object(object)
    }
}
